recipe {
  name = "funccount",
  summary = "Count calls of functions and other events, by name",
  version = "1.0.0",
  category = "functions",
  options = {
    { name = "pid", short = "p", type = "integer", help = "count only this process" },
    { name = "top", short = "T", type = "integer", default = 1000, help = "show only this many rows" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -c 'dd if=/dev/zero of=/dev/null bs=700 count=5000' funccount -T 4 'vfs_*'
vfs_*              count
vfs_read            5099  ******************************
vfs_write           5005  *****************************
vfs_fstatat          146
vfs_getattr_nosec    138]],
    "moontrace funccount 'tcp_*'   # kernel functions",
    "moontrace funccount 't:sched:*'   # any probe spec",
  },
}

local target = arg[1] or error("which functions? For example 'vfs_*', 'libc:mem*' or 't:sched:*'", 0)
local kinds = { k = true, kprobe = true, f = true, fentry = true }
local first, rest = target:match("^([^:]+):(.*)$")
local is_library = first and not rest:find(":", 1, true) and not kinds[first]
local spec = not first and "kprobe:" .. target or is_library and "uprobe:" .. target or target
local calls, has_name = count(), spec:find("^[kuf]") ~= nil

probe(spec, function()
  if opt.pid and pid ~= opt.pid then return end
  if has_name then calls[func]:add(1) else calls[probe]:add(1) end
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  calls:print { title = target, top = opt.top }
  calls:clear()
end
if opt.interval then every(opt.interval, show) end
at_exit(show)
