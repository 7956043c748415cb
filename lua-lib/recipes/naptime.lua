recipe {
  name = "naptime",
  summary = "Trace voluntary sleeps (nanosleep), with the time that they really took",
  version = "1.0.0",
  category = "scheduler",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
  },
  examples = {
    [[
moontrace naptime
PCOMM                            PPID COMM                      PID           MS INTERRUPTED
sh                               2973 sleep                    2975          254 false
timeout                          2981 sleep                    2982          103 true]],
  },
}

local started = map{ lru = true }
local enter, exit = "tracepoint:syscalls:sys_enter_", "tracepoint:syscalls:sys_exit_"

probe({ enter .. "nanosleep", enter .. "clock_nanosleep" }, function()
  -- Not moontrace itself: it naps while it waits for more events, and would wake itself for ever.
  if (not opt.pid or pid == opt.pid) and comm ~= "moontrace" then started[tid] = nsecs end
end)

probe({ exit .. "nanosleep", exit .. "clock_nanosleep" }, function(args)
  local at = started[tid]
  if not at then return end
  started[tid] = nil
  local ms = (nsecs - at) // 1000000
  return { pcomm = pcomm, ppid = ppid, comm = comm, pid = pid, ms = ms, interrupted = args.ret ~= 0 }
end)
