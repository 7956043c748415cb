recipe {
  name = "fileslower",
  summary = "Trace reads and writes of files that take long",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "min", short = "m", type = "integer", default = 10, help = "only what took this many milliseconds" },
    { name = "all", short = "a", type = "boolean", help = "sockets, pipes and devices too" },
  },
  examples = {
    [[
moontrace fileslower -m 0
         PID COMM             D               BYTES       LAT_US FILE
         167 dd               R                2996         5917 locale.alias
         167 dd               R                   0           79 locale.alias
         167 dd               W                4096          564 io.dat
         167 dd               W                4096          108 io.dat
         167 dd               W                4096           34 io.dat]],
    "moontrace fileslower -m 0   # every read and write",
  },
}

local started = map { lru = true }

local function entered(args)
  if opt.pid and pid ~= opt.pid then return end
  if not opt.all and (args.file.f_inode.i_mode or 0) & 0xf000 ~= 0x8000 then return end
  started[tid] = { at = nsecs, name = args.file.f_path.dentry.d_name.name }
end

local function left(direction)
  local call = started[tid]
  if not call then return nil end
  started[tid] = nil
  local us = (nsecs - call.at) // 1000
  if us < opt.min * 1000 then return nil end
  return { pid = pid, comm = comm, d = direction, bytes = retval, lat_us = us, file = kstr(call.name) or "" }
end

for name, direction in pairs { vfs_read = "R", vfs_write = "W" } do
  probe({ "fentry:" .. name, "kprobe:" .. name }, entered, { first = true })
  probe({ "fexit:" .. name, "kretprobe:" .. name }, function() return left(direction) end, { first = true })
end
