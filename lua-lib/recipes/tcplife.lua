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
     PID COMM             LADDR               LPORT RADDR               RPORT TX_BYTES RX_BYTES       MS
    4657 python3          127.0.0.1           58560 127.0.0.1           18099     1002      301      156
    4657 python3          127.0.0.1           18099 127.0.0.1           58560      301     1001      156
    4657 python3          127.0.0.1           37008 127.0.0.1           18098        0        0        0]],
    "moontrace tcplife -D 443",
  },
}

local ESTABLISHED, SYN_SENT, FIN_WAIT1, CLOSE, LAST_ACK, LISTEN, TCP = 1, 2, 4, 7, 9, 10, 6
local born, owners = map { lru = true }, map { lru = true } -- by socket

probe("tracepoint:sock:inet_sock_set_state", function(args)
  local sock, new = args.skaddr, args.newstate
  if args.protocol ~= TCP or new == LISTEN or args.oldstate == LISTEN and new == CLOSE then return end
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
  if opt.localport and args.sport ~= opt.localport or opt.remoteport and args.dport ~= opt.remoteport then return end
  return {
    pid = who, comm = name, laddr = ntop(args.saddr_v6), lport = args.sport, raddr = ntop(args.daddr_v6),
    rport = args.dport, tx_bytes = tcp.bytes_acked, rx_bytes = tcp.bytes_received, us = us,
  }
end):each(function(e)
  local function address(text) return (text:gsub("^::ffff:", "")) end
  emit({
    pid = e.pid, comm = e.comm, laddr = address(e.laddr), lport = e.lport, raddr = address(e.raddr), rport = e.rport,
    tx_bytes = e.tx_bytes, rx_bytes = e.rx_bytes, ms = e.us // 1000,
  }, { "pid", "comm", "laddr", "lport", "raddr", "rport", "tx_bytes", "rx_bytes", "ms" })
end)
