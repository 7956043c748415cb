recipe {
  name = "wakeuptime",
  summary = "Sum the time that tasks sleep, by who woke them and its kernel stack",
  version = "1.0.0",
  category = "scheduler",
  options = {
    { name = "pid", short = "p", type = "integer", help = "only sleepers of this process" },
    { name = "min", short = "m", type = "integer", default = 1, help = "only sleeps of at least so many microseconds" },
    { name = "max", short = "M", type = "integer", help = "only sleeps of at most so many microseconds" },
    { name = "top", short = "T", type = "integer", default = 10, help = "show only so many" },
  },
  examples = {
    [[
moontrace run -d 2 wakeuptime -p 4242 -T 1
wakeuptime
  sh
  try_to_wake_up+0x3a4
  autoremove_wake_function+0x12
  __wake_up_common+0x72
  __wake_up_sync_key+0x3f
  anon_pipe_write+0x39a
  vfs_write+0x398
  ksys_write+0xba
  do_syscall_64+0x71
  entry_SYSCALL_64_after_hwframe+0x76
  cat
    sum (usecs) 2010674]],
  },
}

local slept, wakeuptime = map{ max = 65536 }, sum{ max = 65536 }

probe("tracepoint:sched:sched_switch", function(args)
  if args.prev_pid == 0 or args.prev_state == 0 or opt.pid and pid ~= opt.pid then return end
  slept[args.prev_pid] = nsecs
end)

probe("tracepoint:sched:sched_waking", function(args)
  local since = slept[args.pid]
  if not since then return end
  slept[args.pid] = nil
  local us = (nsecs - since) // 1000
  if us < opt.min or opt.max and us > opt.max then return end
  wakeuptime[{ comm, kstack, args.comm }]:add(us)
end)

at_exit(function() wakeuptime:print{ top = opt.top, unit = "usecs" } end)
