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
     PID COMM                   IP RADDR               RPORT LADDR               LPORT
     186 python3                 4 127.0.0.1           52178 127.0.0.1           18099
     187 python3                 6 ::1                 45920 ::1                 18099]],
    "moontrace tcpaccept -P 22",
  },
}

local INET6 = 10

probe({ "fexit:inet_csk_accept", "kretprobe:inet_csk_accept" }, function()
  if not retval or opt.pid and pid ~= opt.pid then return end
  local sock = cast("struct sock", retval).__sk_common
  if opt.port and sock.skc_num ~= opt.port then return end
  local port = sock.skc_dport -- in the network's byte order
  local remote, here = sock.skc_v6_daddr.in6_u.u6_addr32, sock.skc_v6_rcv_saddr.in6_u.u6_addr32
  return {
    pid = pid, comm = comm, family = sock.skc_family, rport = (port & 0xff) << 8 | port >> 8, lport = sock.skc_num,
    raddr = ntop(sock.skc_daddr), laddr = ntop(sock.skc_rcv_saddr), r0 = remote[0], r1 = remote[1], r2 = remote[2],
    r3 = remote[3], l0 = here[0], l1 = here[1], l2 = here[2], l3 = here[3],
  }
end, { first = true }):each(function(e)
  local raddr, laddr = e.raddr, e.laddr
  if e.family == INET6 then
    raddr = ntop(string.pack("<I4I4I4I4", e.r0, e.r1, e.r2, e.r3)):gsub("^::ffff:", "")
    laddr = ntop(string.pack("<I4I4I4I4", e.l0, e.l1, e.l2, e.l3)):gsub("^::ffff:", "")
  end
  emit({
    pid = e.pid, comm = e.comm, ip = e.family == INET6 and 6 or 4, raddr = raddr, rport = e.rport, laddr = laddr,
    lport = e.lport,
  }, { "pid", "comm", "ip", "raddr", "rport", "laddr", "lport" })
end)
