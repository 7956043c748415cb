recipe {
  name = "tcpstates",
  summary = "Trace TCP connections that change state, with the time spent in the old one",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "localport", short = "L", type = "integer", help = "only this local port" },
    { name = "remoteport", short = "D", type = "integer", help = "only this remote port" },
  },
  examples = {
    [[
moontrace tcpstates -D 18099
     PID COMM             LADDR               LPORT RADDR               RPORT OLDSTATE         NEWSTATE               US
    7245 python3          127.0.0.1               0 127.0.0.1           18099 CLOSE            SYN_SENT                0
    7245 python3          127.0.0.1           44960 127.0.0.1           18099 SYN_SENT         ESTABLISHED          1292
    7245 python3          127.0.0.1           44960 127.0.0.1           18099 ESTABLISHED      FIN_WAIT1          151412
    7245 python3          127.0.0.1           44960 127.0.0.1           18099 FIN_WAIT1        FIN_WAIT2             921
    7245 python3          127.0.0.1           44960 127.0.0.1           18099 FIN_WAIT2        CLOSE                  20]],
    "moontrace tcpstates -L 443   # PID is whoever ran when the packet came in, not always the owner",
  },
}

local CLOSE, TCP, INET = 7, 6, 2
local since = map { lru = true } -- socket -> when it came into its state

local function ntohs(port) return (port & 0xff) << 8 | port >> 8 end

-- A raw tracepoint: the kernel skips others where an interrupt meets a probe that is running.
probe("rawtracepoint:inet_sock_set_state", function(args)
  if args.sk.sk_protocol ~= TCP then return end
  local now, before = nsecs, since[args.sk]
  local us = before and (now - before) // 1000 or 0
  if args.newstate == CLOSE then since[args.sk] = nil else since[args.sk] = now end
  local s = args.sk.__sk_common
  local lport, rport = ntohs(cast("struct inet_sock", args.sk).inet_sport), ntohs(s.skc_dport)
  if opt.localport and lport ~= opt.localport or opt.remoteport and rport ~= opt.remoteport then return end
  local v4 = s.skc_family == INET
  return {
    pid = pid, comm = comm, laddr = v4 and ntop(s.skc_rcv_saddr) or ntop(s.skc_v6_rcv_saddr), lport = lport,
    raddr = v4 and ntop(s.skc_daddr) or ntop(s.skc_v6_daddr), rport = rport, old = args.oldstate, new = args.newstate,
    us = us,
  }
end):each(function(e)
  local states = { "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV" }
  emit({
    pid = e.pid, comm = e.comm, laddr = e.laddr, lport = e.lport, raddr = e.raddr, rport = e.rport,
    oldstate = states[e.old] or e.old, newstate = states[e.new] or e.new, us = e.us,
  }, { "pid", "comm", "laddr", "lport", "raddr", "rport", "oldstate", "newstate", "us" })
end)
