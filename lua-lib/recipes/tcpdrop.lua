recipe {
  name = "tcpdrop",
  summary = "Trace TCP packets that the kernel drops, with the place that dropped them",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "stack", short = "s", type = "boolean", help = "show the kernel stack too" },
    { name = "port", short = "P", type = "integer", help = "only from or to this port" },
  },
  examples = {
    [[
moontrace tcpdrop
     PID COMM             SADDR               SPORT DADDR               DPORT FLAGS            REASON           PLACE
   22821 python3          127.0.0.1           38973 127.0.0.1           38274 FIN|ACK          QUEUE_PURGE      sk_stream_kill_queues
   22821 python3          127.0.0.1           46938 127.0.0.1               1 SYN              NO_SOCKET        tcp_v4_rcv]],
    "moontrace tcpdrop -s   # FLAGS is of the packet; PID is whoever ran when it was dropped",
  },
}

local IP, TCP = 0x0008, 6 -- IP in the network's byte order

-- A raw tracepoint: the kernel skips others where an interrupt meets a probe that is running.
probe("rawtracepoint:kfree_skb", function(args)
  local skb = args.skb
  if skb.protocol ~= IP then return end
  local ip = cast("struct iphdr", skb.head + skb.network_header)
  if ip.protocol ~= TCP then return end
  local tcp = cast("struct tcphdr", skb.head + skb.transport_header)
  local source, dest = tcp.source, tcp.dest -- in the network's byte order
  local sport, dport = (source & 0xff) << 8 | source >> 8, (dest & 0xff) << 8 | dest >> 8
  if opt.port and sport ~= opt.port and dport ~= opt.port then return end
  return {
    pid = pid, comm = comm, saddr = ntop(ip.saddr), sport = sport, daddr = ntop(ip.daddr), dport = dport,
    reason = args.reason, fin = tcp.fin, syn = tcp.syn, rst = tcp.rst, psh = tcp.psh, ack = tcp.ack,
    place = ksym(args.location), stack = opt.stack and kstack or "",
  }
end):each(function(e)
  local flags = {}
  for _, name in ipairs { "fin", "syn", "rst", "psh", "ack" } do
    if e[name] == 1 then flags[#flags + 1] = name:upper() end
  end
  -- Reasons that a subsystem has added have no names here.
  local reason = tostring(e.reason):gsub("^SKB_DROP_REASON_", "")
  local as_text = opt.stack and output_format == "table"
  emit({
    pid = e.pid, comm = e.comm, saddr = e.saddr, sport = e.sport, daddr = e.daddr, dport = e.dport,
    flags = table.concat(flags, "|"), reason = reason, place = e.place, stack = opt.stack and e.stack,
  }, { "pid", "comm", "saddr", "sport", "daddr", "dport", "flags", "reason", "place",
    opt.stack and not as_text and "stack" or nil })
  if as_text then print((e.stack:gsub("%f[^\0\n]", "    ")) .. "\n") end
end)
