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

local function address(text) return (text:gsub("^::ffff:", "")) end
local states = { "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
  "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV" }
local counts = {}

probe("tracepoint:tcp:tcp_retransmit_skb", function(args)
  return {
    pid = pid, laddr = ntop(args.saddr_v6), lport = args.sport, raddr = ntop(args.daddr_v6), rport = args.dport,
    state = args.state,
  }
end):each(function(e)
  local laddr, raddr = address(e.laddr), address(e.raddr)
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
