recipe {
  name = "tcpconnlat",
  summary = "Trace outgoing TCP connections with the time from SYN to answer",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "min", short = "m", type = "integer", default = 0, help = "only those that took this many microseconds" },
  },
  examples = {
    [[
moontrace tcpconnlat
     PID COMM             SADDR               SPORT DADDR               DPORT RESULT             LAT_US
    4510 python3          127.0.0.1           59336 127.0.0.1           18099 connected              67
    4510 python3          127.0.0.1           44916 127.0.0.1           18098 failed                 22
    4512 python3          ::1                 49194 ::1                 18099 connected             283
    4512 python3          ::1                 54266 ::1                 18098 failed                 23]],
    "moontrace tcpconnlat -m 100000   # slower than 100 ms",
  },
}

local ESTABLISHED, SYN_SENT, CLOSE, TCP = 1, 2, 7, 6
local started = map { lru = true } -- socket -> who connects it, since when

probe("tracepoint:sock:inet_sock_set_state", function(args)
  if args.protocol ~= TCP then return end
  if args.newstate == SYN_SENT then
    if opt.pid and pid ~= opt.pid then return end
    started[args.skaddr] = { pid = pid, comm = comm, at = nsecs }
  elseif args.oldstate == SYN_SENT then -- answered: in whichever process runs
    local s = started[args.skaddr]
    if not s then return end
    local us, who, name = (nsecs - s.at) // 1000, s.pid, s.comm
    started[args.skaddr] = nil
    if us < opt.min then return end
    return {
      pid = who, comm = name, saddr = ntop(args.saddr_v6), sport = args.sport, daddr = ntop(args.daddr_v6),
      dport = args.dport, connected = args.newstate == ESTABLISHED, us = us,
    }
  end
end):each(function(e)
  local function address(text) return (text:gsub("^::ffff:", "")) end
  emit({
    pid = e.pid, comm = e.comm, saddr = address(e.saddr), sport = e.sport, daddr = address(e.daddr), dport = e.dport,
    result = e.connected and "connected" or "failed", lat_us = e.us,
  }, { "pid", "comm", "saddr", "sport", "daddr", "dport", "result", "lat_us" })
end)
