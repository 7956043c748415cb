recipe {
  name = "setuids",
  summary = "Trace calls that change the user id of a process, and the result",
  version = "1.0.0",
  category = "security",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "failed", short = "x", type = "boolean", help = "show only failed calls" },
  },
  examples = {
    [[
moontrace setuids
TIME                  PID COMM                  UID SYSCALL          ARGS                  RET
12:54:21            26436 python3                 0 setresuid        -1, 1000, -1            0
12:54:21            26436 python3                 0 setuid           33                      0
12:54:21            26436 python3                33 setuid           0                      -1
12:54:22            26478 su                      0 setuid           65534                   0]],
  },
}

local calls = map{ lru = true }
local enter, exit = "tracepoint:syscalls:sys_enter_", "tracepoint:syscalls:sys_exit_"

local function entered(call, r, e, s)
  if not opt.pid or pid == opt.pid then calls[tid] = { call = call, uid = uid, r = r, e = e, s = s } end
end
probe(enter .. "setuid", function(args) entered("setuid", args.uid) end)
probe(enter .. "setfsuid", function(args) entered("setfsuid", args.uid) end)
probe(enter .. "setreuid", function(args) entered("setreuid", args.ruid, args.euid) end)
probe(enter .. "setresuid", function(args) entered("setresuid", args.ruid, args.euid, args.suid) end)

probe({ exit .. "setuid", exit .. "setfsuid", exit .. "setreuid", exit .. "setresuid" }, function(args)
  local c = calls[tid]
  if not c then return end
  calls[tid] = nil
  if opt.failed and args.ret >= 0 then return end
  return { pid = pid, comm = comm, uid = c.uid, call = c.call, r = c.r, e = c.e, s = c.s, ret = args.ret }
end):each(function(e)
  local ids = { e.r << 32 >> 32, e.e and e.e << 32 >> 32, e.s and e.s << 32 >> 32 }
  for i, id in ipairs(ids) do ids[i] = id == 0xffffffff and "-1" or tostring(id) end
  emit({
    time = strftime("%H:%M:%S"), pid = e.pid, comm = e.comm, uid = e.uid, syscall = e.call,
    args = table.concat(ids, ", "), ret = e.ret,
  }, { "time", "pid", "comm", "uid", "syscall", "args", "ret" })
end)
