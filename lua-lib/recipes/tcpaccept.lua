recipe {
  name = "tcpaccept",
  summary = "Trace TCP connections that processes accept",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "port", short = "P", type = "integer", help = "only at this local port" },
  },
  examples = {
    [[
moontrace tcpaccept
         PID COMM                       IP RADDR                           RPORT LADDR                           LPORT
         151 python3                     4 127.0.0.1                       38202 127.0.0.1                       36521
         151 python3                     6 ::1                             36176 ::1                             36259
         151 python3                     6 ::ffff:127.0.0.1                53936 ::ffff:127.0.0.1                44587]],
    "moontrace tcpaccept -P 22",
  },
}

local INET6 = 10

probe({ "fexit:inet_csk_accept", "kretprobe:inet_csk_accept" }, function()
  if not retval or opt.pid and pid ~= opt.pid then return end
  local sock = cast("struct sock", retval).__sk_common
  if opt.port and sock.skc_num ~= opt.port then return end
  local port, v4 = sock.skc_dport, sock.skc_family ~= INET6 -- the port in the network's byte order
  return {
    pid = pid, comm = comm, ip = v4 and 4 or 6, raddr = v4 and ntop(sock.skc_daddr) or ntop(sock.skc_v6_daddr),
    rport = (port & 0xff) << 8 | port >> 8,
    laddr = v4 and ntop(sock.skc_rcv_saddr) or ntop(sock.skc_v6_rcv_saddr), lport = sock.skc_num,
  }
end, { first = true })
