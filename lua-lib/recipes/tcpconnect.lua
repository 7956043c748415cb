recipe {
  name = "tcpconnect",
  summary = "Trace TCP connections that processes open (connect)",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "port", short = "P", type = "integer", help = "only to this port" },
    { name = "uid", short = "u", type = "integer", help = "trace only this user" },
  },
  examples = {
    [[
moontrace tcpconnect
         PID COMM                      UID           IP SADDR                    DADDR                           DPORT
       22557 python3                     0            4 127.0.0.1                127.0.0.1                       43677
       22557 python3                     0            4 127.0.0.1                127.0.0.1                           1
       22557 python3                     0            6 ::1                      ::1                             37121
       22557 python3                     0            6 ::1                      ::1                                 1]],
    "moontrace tcpconnect -P 443   # attempts; tcpconnlat shows what became of them",
  },
}

local SYN_SENT, TCP, INET = 2, 6, 2

-- The process that connects still runs when its socket comes into this state.
probe("tracepoint:sock:inet_sock_set_state", function(args)
  if args.protocol ~= TCP or args.newstate ~= SYN_SENT then return end
  if opt.pid and pid ~= opt.pid or opt.port and args.dport ~= opt.port or opt.uid and uid ~= opt.uid then return end
  local v4 = args.family == INET
  return {
    pid = pid, comm = comm, uid = uid, ip = v4 and 4 or 6, saddr = v4 and ntop(args.saddr) or ntop(args.saddr_v6),
    daddr = v4 and ntop(args.daddr) or ntop(args.daddr_v6), dport = args.dport,
  }
end)
