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
         PID COMM             SADDR                           SPORT DADDR                           DPORT RESULT                 LAT_US
       22617 python3          127.0.0.1                       56208 127.0.0.1                       39153 connected                  67
       22617 python3          127.0.0.1                       46908 127.0.0.1                           1 failed                    164
       22617 python3          ::1                             55886 ::1                             46413 connected                  93
       22617 python3          ::1                             53560 ::1                                 1 failed                    189]],
    "moontrace tcpconnlat -m 100000   # slower than 100 ms",
  },
}

local ESTABLISHED, SYN_SENT, TCP, INET = 1, 2, 6, 2
local started = map { lru = true } -- socket -> who connects it, since when

local function ntohs(port) return (port & 0xff) << 8 | port >> 8 end

-- A raw tracepoint: the kernel skips others where an interrupt meets a probe that is running.
probe("rawtracepoint:inet_sock_set_state", function(args)
  if args.sk.sk_protocol ~= TCP then return end
  if args.newstate == SYN_SENT then
    if opt.pid and pid ~= opt.pid then return end
    started[args.sk] = { pid = pid, comm = comm, at = nsecs }
  elseif args.oldstate == SYN_SENT then -- answered: in whichever process runs
    local start = started[args.sk]
    if not start then return end
    local us, who, name = (nsecs - start.at) // 1000, start.pid, start.comm
    started[args.sk] = nil
    if us < opt.min then return end
    local s = args.sk.__sk_common
    local v4 = s.skc_family == INET
    return {
      pid = who, comm = name, saddr = v4 and ntop(s.skc_rcv_saddr) or ntop(s.skc_v6_rcv_saddr),
      sport = ntohs(cast("struct inet_sock", args.sk).inet_sport),
      daddr = v4 and ntop(s.skc_daddr) or ntop(s.skc_v6_daddr), dport = ntohs(s.skc_dport),
      result = args.newstate == ESTABLISHED and "connected" or "failed", lat_us = us,
    }
  end
end)
