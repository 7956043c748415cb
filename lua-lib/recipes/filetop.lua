recipe {
  name = "filetop",
  summary = "Files that are read and written most, by process",
  version = "1.0.1",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "only this process" },
    { name = "all", short = "a", type = "boolean", help = "sockets, pipes and devices too" },
    { name = "top", short = "T", type = "integer", default = 20, help = "show only this many rows" },
    { name = "interval", short = "i", type = "duration", default = 1, help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace filetop -i 5 | head -4
13:05:05
     PID COMM                READS   WRITES     R_KB     W_KB FILE
     153 dd                      0      300        0     1200 io.dat
     154 dd                    301        0     1200        0 io.dat]],
    "moontrace filetop -i 10 -T 5",
  },
}

-- By {pid, comm, file}.
local usage = { reads = map(), writes = map(), r_kb = map(), w_kb = map() }

local function count_as(what, calls, bytes)
  probe("fexit:vfs_" .. what, function(args)
    if opt.pid and pid ~= opt.pid or retval < 0 then return end
    if not opt.all and (args.file.f_inode.i_mode or 0) & 0xf000 ~= 0x8000 then return end
    local key = { pid, comm, kstr(args.file.f_path.dentry.d_name.name, 63) or "" }
    calls[key] = (calls[key] or 0) + 1
    bytes[key] = (bytes[key] or 0) + retval
  end)
end
count_as("read", usage.reads, usage.r_kb)
count_as("write", usage.writes, usage.w_kb)

-- Most bytes first, then most calls; what is equal in an order that stays, for the live view.
local function comes_first(a, b)
  local bytes, calls = a.r_kb + a.w_kb - b.r_kb - b.w_kb, a.reads + a.writes - b.reads - b.writes
  if bytes ~= 0 then return bytes > 0 end
  if calls ~= 0 then return calls > 0 end
  if a.pid ~= b.pid then return a.pid < b.pid end
  return a.file < b.file
end

local function show()
  local rows, list = {}, {}
  for column, counts in pairs(usage) do
    for _, entry in ipairs(counts:drain()) do
      local id, who = table.concat(entry[1], "\0"), entry[1]
      if not rows[id] then
        rows[id] = { pid = who[1], comm = who[2], file = who[3], reads = 0, writes = 0, r_kb = 0, w_kb = 0 }
        list[#list + 1] = rows[id]
      end
      rows[id][column] = rows[id][column] + entry[2]
    end
  end
  table.sort(list, comes_first)
  if output_format == "table" then print(strftime("%H:%M:%S")) end
  for i = 1, math.min(opt.top, #list) do
    list[i].r_kb, list[i].w_kb = list[i].r_kb // 1024, list[i].w_kb // 1024
    emit(list[i], { "pid", "comm", "reads", "writes", "r_kb", "w_kb", "file" })
  end
end
every(opt.interval, show)
at_exit(show)
