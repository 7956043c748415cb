recipe {
  name = "ext4slower",
  summary = "Trace reads, writes, opens and syncs of ext4 that take long",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "min", short = "m", type = "integer", default = 10, help = "only what took this many milliseconds" },
  },
  examples = {
    [[
moontrace ext4slower -m 0
         PID COMM             T               BYTES       OFF_KB       LAT_US FILE
         159 dd               O                   0            0         1200 written.dat
         159 dd               W                4096            0        13629 written.dat
         159 dd               W                4096            4          164 written.dat
         159 dd               S                   0            0        34892 written.dat
         160 cat              R               12288            0          498 written.dat]],
    "moontrace ext4slower -p 1234",
  },
}

local calls = map { lru = true }

local function entered(file, offset)
  if opt.pid and pid ~= opt.pid then return end
  calls[tid] = { at = nsecs, file = file, offset = offset }
end

local function left(operation)
  local call = calls[tid]
  if not call then return nil end
  calls[tid] = nil
  local us = (nsecs - call.at) // 1000
  if us < opt.min * 1000 then return nil end
  local bytes = (operation == "R" or operation == "W") and retval or 0
  local name = call.file.f_path.dentry.d_name.name
  return { pid = pid, comm = comm, t = operation, bytes = bytes, off_kb = call.offset // 1024, lat_us = us,
           file = name and str(name) }
end

local function on(name, operation, enter)
  probe({ "fentry:" .. name, "kprobe:" .. name }, enter, { first = true })
  probe({ "fexit:" .. name, "kretprobe:" .. name }, function() return left(operation) end, { first = true })
end
on("ext4_file_read_iter", "R", function(args) entered(args.iocb.ki_filp, args.iocb.ki_pos) end)
on("ext4_file_write_iter", "W", function(args) entered(args.iocb.ki_filp, args.iocb.ki_pos) end)
on("ext4_file_open", "O", function(args) entered(args.filp, 0) end)
on("ext4_sync_file", "S", function(args) entered(args.file, args.start) end)
