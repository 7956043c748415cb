recipe {
  name = "killsnoop",
  summary = "Trace signals sent with kill(2), tkill(2) and tgkill(2), and the result",
  version = "1.0.0",
  category = "processes",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this sending process" },
    { name = "target", short = "t", type = "integer", help = "trace only signals to this process or thread" },
    { name = "signal", short = "s", type = "integer", help = "trace only this signal, by its number" },
    { name = "failed", short = "x", type = "boolean", help = "show only failed attempts" },
  },
  examples = {
    [[
moontrace killsnoop
TIME                  PID COMM                  SIG SIGNAL               TPID      RET
13:05:38             2893 sh                     15 SIGTERM              2894        0
13:05:38             2893 sh                      9 SIGKILL            999999       -3]],
    "moontrace killsnoop -s 9",
  },
}

local sent = map{ lru = true }
local enter, exit = "tracepoint:syscalls:sys_enter_", "tracepoint:syscalls:sys_exit_"

probe({ enter .. "kill", enter .. "tkill", enter .. "tgkill" }, function(args)
  if opt.pid and pid ~= opt.pid or opt.target and args.pid ~= opt.target then return end
  if opt.signal and args.sig ~= opt.signal then return end
  sent[tid] = { sig = args.sig, tpid = args.pid }
end)

probe({ exit .. "kill", exit .. "tkill", exit .. "tgkill" }, function(args)
  local s = sent[tid]
  if not s then return end
  sent[tid] = nil
  if opt.failed and args.ret == 0 then return end
  return { pid = pid, comm = comm, sig = s.sig, tpid = s.tpid, ret = args.ret }
end):each(function(e)
  emit({
    time = strftime("%H:%M:%S"), pid = e.pid, comm = e.comm, sig = e.sig,
    signal = e.sig > 0 and signal_name(e.sig) or "", tpid = e.tpid, ret = e.ret,
  }, { "time", "pid", "comm", "sig", "signal", "tpid", "ret" })
end)
