recipe {
  name = "funclatency",
  summary = "Histogram of the time that calls of a function take",
  version = "1.0.0",
  category = "functions",
  options = {
    { name = "pid", short = "p", type = "integer", help = "measure only this process" },
    { name = "microseconds", short = "u", type = "boolean", help = "microseconds instead of nanoseconds" },
    { name = "milliseconds", short = "m", type = "boolean", help = "milliseconds instead of nanoseconds" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -c 'dd if=/dev/zero of=/dev/null bs=700 count=5000' funclatency -u vfs_read
vfs_read
usecs        : count  distribution
   4 -> 7    :  4938  |****************************************|
   8 -> 15   :    23  |                                        |
  16 -> 31   :    11  |                                        |
  32 -> 63   :     7  |                                        |
  64 -> 127  :    12  |                                        |
 128 -> 255  :     3  |                                        |
 256 -> 511  :    12  |                                        |
 512 -> 1023 :     3  |                                        |
1024 -> 2047 :     0  |                                        |
2048 -> 4095 :     1  |                                        |]],
    "moontrace funclatency vfs_read   # a kernel function; PATH:FUNCTION or LIBRARY:FUNCTION is a user function",
  },
}

local target = arg[1] or error("which function? For example vfs_read, or libc:malloc", 0)
local is_user = target:find(":", 1, true)
local unit_ns = opt.milliseconds and 1000000 or opt.microseconds and 1000 or 1
local started, latency = map { lru = true }, hist()

probe((is_user and "uprobe:" or "kprobe:") .. target, function()
  if opt.pid and pid ~= opt.pid then return end
  started[tid] = nsecs
end)

probe((is_user and "uretprobe:" or "kretprobe:") .. target, function()
  local at = started[tid]
  if not at then return end
  started[tid] = nil
  latency:add((nsecs - at) // unit_ns)
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  latency:print { title = target, unit = opt.milliseconds and "msecs" or opt.microseconds and "usecs" or "nsecs" }
  latency:clear()
end
if opt.interval then every(opt.interval, show) end
at_exit(show)
