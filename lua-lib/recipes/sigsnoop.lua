recipe {
  name = "sigsnoop",
  summary = "Trace all signals as the kernel generates them, with who caused them",
  version = "1.0.0",
  category = "processes",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only signals that this process causes" },
    { name = "target", short = "t", type = "integer", help = "trace only signals to this process or thread" },
    { name = "signal", short = "s", type = "integer", help = "trace only this signal, by its number" },
  },
  examples = {
    [[
moontrace sigsnoop
TIME                  PID COMM                  SIG SIGNAL               TPID TCOMM            RESULT
13:05:38             2905 sh                     15 SIGTERM              2906 sleep            delivered
13:05:38             2906 sleep                  17 SIGCHLD              2905 sh               delivered
13:05:38             2907 r1work                  6 SIGABRT              2907 r1work           delivered]],
    "moontrace sigsnoop -s 11   # who crashes",
  },
}

local results = { [0] = "delivered", "ignored", "pending", "overflow", "no info" } -- enum of TRACE_SIGNAL_…

probe("tracepoint:signal:signal_generate", function(args)
  if opt.pid and pid ~= opt.pid or opt.target and args.pid ~= opt.target then return end
  if opt.signal and args.sig ~= opt.signal then return end
  return { pid = pid, comm = comm, sig = args.sig, tpid = args.pid, tcomm = args.comm, result = args.result }
end):each(function(e)
  emit({
    time = strftime("%H:%M:%S"), pid = e.pid, comm = e.comm, sig = e.sig, signal = signal_name(e.sig), tpid = e.tpid,
    tcomm = e.tcomm, result = results[e.result],
  }, { "time", "pid", "comm", "sig", "signal", "tpid", "tcomm", "result" })
end)
