recipe {
  name = "bindsnoop",
  summary = "Trace sockets that are bound to an address and port",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "port", short = "P", type = "integer", help = "trace only this port" },
  },
  examples = {
    [[
moontrace bindsnoop   # OPTS: R is SO_REUSEADDR, r is SO_REUSEPORT
     PID COMM             PROT             ADDR             OPTS                   IF     PORT
   28403 python3          TCP              127.0.0.1        R.                      0    14567
   28403 python3          UDP              127.0.0.2        ..                      0    49545
   28403 python3          TCP              ::1              .r                      0    14568]],
  },
}

local descriptors = map{ lru = true }

probe("tracepoint:syscalls:sys_enter_bind", function(args)
  if not opt.pid or pid == opt.pid then descriptors[tid] = args.fd end
end)

-- What the kernel has bound, rather than what the caller asked for: port 0 asks for any.
probe("tracepoint:syscalls:sys_exit_bind", function(args)
  local fd = descriptors[tid]
  descriptors[tid] = nil
  if not fd or args.ret ~= 0 then return end
  local sock = cast("struct socket", curtask.files.fdt.fd[fd].private_data).sk
  local c = sock.__sk_common
  local port, v4 = c.skc_num, c.skc_family == 2
  if not v4 and c.skc_family ~= 10 or opt.port and port ~= opt.port then return end
  return {
    pid = pid, comm = comm, protocol = sock.sk_protocol, port = port, dev = c.skc_bound_dev_if,
    addr = v4 and ntop(c.skc_rcv_saddr) or ntop(c.skc_v6_rcv_saddr),
    reuse = c.skc_reuse ~= 0, reuseport = c.skc_reuseport ~= 0,
  }
end):each(function(e)
  local options = (e.reuse and "R" or ".") .. (e.reuseport and "r" or ".")
  emit({
    pid = e.pid, comm = e.comm, prot = ({ [6] = "TCP", [17] = "UDP" })[e.protocol] or tostring(e.protocol),
    addr = e.addr, opts = options, ["if"] = e.dev, port = e.port,
  }, { "pid", "comm", "prot", "addr", "opts", "if", "port" })
end)
