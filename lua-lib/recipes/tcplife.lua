recipe {
  name = "tcplife",
  summary = "Trace TCP connections that end, with their life span and traffic",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "localport", short = "L", type = "integer", help = "only this local port" },
    { name = "remoteport", short = "D", type = "integer", help = "only this remote port" },
  },
  examples = {
    [[
moontrace tcplife
         PID COMM             LADDR                           LPORT RADDR                           RPORT     TX_BYTES     RX_BYTES           MS
       22718 python3          127.0.0.1                       44228 127.0.0.1                       37811          102            1            0
       22718 python3          127.0.0.1                       37811 127.0.0.1                       44228            1          101            0
       22718 python3          ::1                             51050 ::1                             39697          102            1            0
       22718 python3          ::ffff:127.0.0.1                33147 ::ffff:127.0.0.1                53828            1          101            0]],
    "moontrace tcplife -D 443",
  },
}

local ESTABLISHED, SYN_SENT, FIN_WAIT1, CLOSE, LAST_ACK, LISTEN, TCP, INET = 1, 2, 4, 7, 9, 10, 6, 2
local born, owners = map { lru = true }, map { lru = true } -- by socket

local function ntohs(port) return (port & 0xff) << 8 | port >> 8 end

-- A raw tracepoint: the kernel skips others where an interrupt meets a probe that is running.
probe("rawtracepoint:inet_sock_set_state", function(args)
  local sock, new = args.sk, args.newstate
  if sock.sk_protocol ~= TCP or new == LISTEN or args.oldstate == LISTEN and new == CLOSE then return end
  if new < FIN_WAIT1 and not born[sock] then born[sock] = nsecs end
  -- In these states its own process runs, in the others anyone may.
  if new == SYN_SENT or new == LAST_ACK or new == FIN_WAIT1 then owners[sock] = { pid = pid, comm = comm } end
  if new ~= CLOSE then return end
  local at, owner, tcp = born[sock], owners[sock], cast("struct tcp_sock", sock)
  if not at then return end
  local us = (nsecs - at) // 1000
  local who, name = pid, comm
  if owner then who, name = owner.pid, owner.comm end
  born[sock], owners[sock] = nil, nil
  if opt.pid and who ~= opt.pid then return end
  local s, lport = sock.__sk_common, ntohs(cast("struct inet_sock", sock).inet_sport)
  local v4, rport = s.skc_family == INET, ntohs(s.skc_dport)
  if opt.localport and lport ~= opt.localport or opt.remoteport and rport ~= opt.remoteport then return end
  return {
    pid = who, comm = name, laddr = v4 and ntop(s.skc_rcv_saddr) or ntop(s.skc_v6_rcv_saddr), lport = lport,
    raddr = v4 and ntop(s.skc_daddr) or ntop(s.skc_v6_daddr), rport = rport, tx_bytes = tcp.bytes_acked, rx_bytes = tcp.bytes_received, ms = us // 1000,
  }
end)
