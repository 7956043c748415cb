recipe {
  name = "vfsstat",
  summary = "Count reads, writes, syncs, opens and creations of files, each second",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "count only this process" },
    { name = "interval", short = "i", type = "duration", default = 1, help = "show so often" },
  },
  examples = {
    [[
moontrace vfsstat
TIME                 READ    WRITE    FSYNC     OPEN   CREATE
13:01:31              314      303        2       34        1
13:01:32              307      305        0       23        0
13:01:33               16        2        0       55        1]],
    "moontrace vfsstat -i 10   # per interval, of all file systems; pipes and sockets are files too",
  },
}

local calls = global { read = 0, write = 0, fsync = 0, open = 0, create = 0 }

local function on(name, fn) probe({ "fentry:" .. name, "kprobe:" .. name }, fn, { first = true }) end
local function is_other() return opt.pid and pid ~= opt.pid end
on("vfs_read", function() if not is_other() then calls.read = calls.read + 1 end end)
on("vfs_write", function() if not is_other() then calls.write = calls.write + 1 end end)
on("vfs_fsync_range", function() if not is_other() then calls.fsync = calls.fsync + 1 end end)
on("vfs_open", function() if not is_other() then calls.open = calls.open + 1 end end)
on("vfs_create", function() if not is_other() then calls.create = calls.create + 1 end end)

local columns, before = { "time", "read", "write", "fsync", "open", "create" }, {}
local function show()
  local row = { time = strftime("%H:%M:%S") }
  for name, total in pairs(calls) do row[name], before[name] = total - (before[name] or 0), total end
  emit(row, columns)
end
every(opt.interval, show)
at_exit(show)
