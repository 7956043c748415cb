recipe {
  name = "tcpretrans",
  summary = "Trace TCP segments that are sent again",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "count", short = "c", type = "boolean", help = "count them by connection instead" },
  },
  examples = {
    [[
moontrace tcpretrans
     PID LADDR               LPORT RADDR               RPORT STATE
    3967 127.0.0.1           56030 127.0.0.1           18097 SYN_SENT
    3967 127.0.0.1           56026 127.0.0.1           18097 SYN_SENT]],
    "moontrace run -d 60 tcpretrans -c",
  },
}

local INET6 = 10
local states = { "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
  "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV" }
local counts = {}

-- A raw tracepoint: the kernel skips others where an interrupt meets a probe that is running.
probe("rawtracepoint:tcp_retransmit_skb", function(args)
  local sock = args.sk.__sk_common
  local port, v4 = sock.skc_dport, sock.skc_family ~= INET6 -- the port in the network's byte order
  return {
    pid = pid, laddr = v4 and ntop(sock.skc_rcv_saddr) or ntop(sock.skc_v6_rcv_saddr), lport = sock.skc_num,
    raddr = v4 and ntop(sock.skc_daddr) or ntop(sock.skc_v6_daddr), rport = (port & 0xff) << 8 | port >> 8,
    state = sock.skc_state,
  }
end):each(function(e)
  local laddr, raddr = e.laddr, e.raddr
  if opt.count then
    local key = laddr .. " " .. e.lport .. " " .. raddr .. " " .. e.rport
    local row = counts[key] or { laddr = laddr, lport = e.lport, raddr = raddr, rport = e.rport, count = 0 }
    row.count, counts[key] = row.count + 1, row
    return
  end
  emit({
    pid = e.pid, laddr = laddr, lport = e.lport, raddr = raddr, rport = e.rport, state = states[e.state] or e.state,
  }, { "pid", "laddr", "lport", "raddr", "rport", "state" })
end)

at_exit(function()
  local rows = {}
  for _, row in pairs(counts) do rows[#rows + 1] = row end
  table.sort(rows, function(a, b) return a.count > b.count end)
  for _, row in ipairs(rows) do emit(row, { "laddr", "lport", "raddr", "rport", "count" }) end
end)
