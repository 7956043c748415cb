recipe {
  name = "ps",
  summary = "List processes as the kernel sees them",
  version = "1.0.0",
  category = "processes",
  options = {
    { name = "threads", short = "t", type = "boolean", help = "list each thread" },
    { name = "pid", short = "p", type = "integer", help = "only this process" },
    { name = "uid", short = "u", type = "integer", help = "only this user" },
  },
  examples = {
    [[
moontrace ps | head -5
     PID      TID     PPID      UID STATE                NICE   CPU_MS    AGE_S COMM
       2        2        0        0 S                       0       12    18991 kthreadd
       3        3        2        0 S                       0        0    18991 pool_workqueue_
       4        4        2        0 I                     -20        0    18991 kworker/R-rcu_g
       5        5        2        0 I                     -20        0    18991 kworker/R-sync_]],
    "moontrace run -f json ps -u 1000   # CPU_MS is of the thread: without -t of each process's first one",
  },
}

probe("iter:task", function(args)
  local task = args.task
  if not task or not opt.threads and task.pid ~= task.tgid then return end
  if opt.pid and task.tgid ~= opt.pid then return end
  local user = task.cred.uid.val
  if opt.uid and user ~= opt.uid then return end
  return {
    pid = task.tgid, tid = task.pid, ppid = task.real_parent.tgid, uid = user, state = task.__state | task.exit_state,
    nice = task.static_prio - 120, cpu_ms = task.se.sum_exec_runtime // 1000000,
    age_s = (nsecs - task.start_time) // 1000000000, comm = task.comm,
  }
end):each(function(e)
  local letters = { [0] = "R", [1] = "S", [2] = "D", [4] = "T", [8] = "t", [0x20] = "Z", [0x40] = "P", [0x402] = "I" }
  emit({
    pid = e.pid, tid = e.tid, ppid = e.ppid, uid = e.uid, state = letters[e.state & 0x46f] or "?",
    nice = e.nice, cpu_ms = e.cpu_ms, age_s = e.age_s, comm = e.comm,
  }, { "pid", "tid", "ppid", "uid", "state", "nice", "cpu_ms", "age_s", "comm" })
end)
