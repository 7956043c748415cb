recipe {
  name = "pidpersec",
  summary = "Count new processes and threads each second",
  version = "1.0.0",
  category = "processes",
  options = {},
  examples = {
    [[
moontrace pidpersec
TIME             PIDS_PER_SEC THREADS_PER_SEC
13:05:46                  104              12
13:05:47                    0               0]],
  },
}

local new = global{ processes = 0, threads = 0 }

probe("tracepoint:task:task_newtask", function(args)
  if args.clone_flags & 0x10000 ~= 0 then -- CLONE_THREAD
    new.threads = new.threads + 1
  else
    new.processes = new.processes + 1
  end
end)

local processes, threads = 0, 0
every(1, function()
  local p, t = new.processes, new.threads
  emit({ time = strftime("%H:%M:%S"), pids_per_sec = p - processes, threads_per_sec = t - threads },
    { "time", "pids_per_sec", "threads_per_sec" })
  processes, threads = p, t
end)
