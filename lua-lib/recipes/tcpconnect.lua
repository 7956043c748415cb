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

local function ntohs(port) return (port & 0xff) << 8 | port >> 8 end

-- The process that connects still runs when its socket comes into this state. A raw tracepoint: the kernel skips others
-- where an interrupt meets a probe that is running.
probe("rawtracepoint:inet_sock_set_state", function(args)
  if args.sk.sk_protocol ~= TCP or args.newstate ~= SYN_SENT then return end
  local s = args.sk.__sk_common
  local port, v4 = ntohs(s.skc_dport), s.skc_family == INET
  if opt.pid and pid ~= opt.pid or opt.port and port ~= opt.port or opt.uid and uid ~= opt.uid then return end
  return {
    pid = pid, comm = comm, uid = uid, ip = v4 and 4 or 6,
    saddr = v4 and ntop(s.skc_rcv_saddr) or ntop(s.skc_v6_rcv_saddr),
    daddr = v4 and ntop(s.skc_daddr) or ntop(s.skc_v6_daddr), dport = port,
  }
end)
