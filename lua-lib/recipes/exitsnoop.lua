recipe {
  name = "exitsnoop",
  summary = "Trace processes that end, with their age and exit code or signal",
  version = "2.0.0",
  category = "processes",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "failed", short = "x", type = "boolean", help = "show only those that failed" },
    { name = "threads", short = "t", type = "boolean", help = "show each thread, its id in the column TID" },
  },
  examples = {
    [[
moontrace exitsnoop
     PID     PPID      TID COMM               AGE_MS     CODE SIGNAL
    2875     2874     2875 sh                      3        3
    2877     2876     2877 sleep                 502      143 SIGTERM
    2876     2874     2876 timeout               503      124]],
    "moontrace exitsnoop -x   # CODE is 128 + the signal's number for those that a signal ended, as in a shell",
  },
}

local told = map{ lru = true } -- of two threads that end at once, both may find no other thread alive

probe("tracepoint:sched:sched_process_exit", function()
  local signal = curtask.signal
  if opt.pid and pid ~= opt.pid or not opt.threads and signal.live.counter > 0 then return end
  local task = opt.threads and curtask or curtask.group_leader
  local of_all = not opt.threads and signal.flags & 4 ~= 0 -- SIGNAL_GROUP_EXIT
  local status = of_all and signal.group_exit_code or task.exit_code -- as wait(2) gives it
  local key = { task.pid, task.start_time }
  if opt.failed and status == 0 or told[key] then return end
  told[key] = true
  local age_ms = (nsecs - task.start_time) // 1000000
  return { pid = pid, ppid = ppid, tid = task.pid, comm = task.comm, age_ms = age_ms, status = status }
end):each(function(e)
  local signal = e.status & 0x7f
  emit({
    pid = e.pid, ppid = e.ppid, tid = e.tid, comm = e.comm, age_ms = e.age_ms,
    code = signal > 0 and 128 + signal or e.status >> 8 & 0xff,
    signal = signal > 0 and signal_name(signal) or "",
  }, { "pid", "ppid", "tid", "comm", "age_ms", "code", "signal" })
end)
