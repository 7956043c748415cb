recipe {
  name = "mountsnoop",
  summary = "Trace mount and umount calls with their arguments and result",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
  },
  examples = {
    [[
moontrace mountsnoop
     PID COMM               MNT_NS      RET CALL
   28101 unshare          4026532177        0 mount("none", "/", 0x44000)
   28105 mount            4026532177        0 mount("none", "/tmp/w/r1/m", "tmpfs", "size=1m", 0x2)
   28106 umount           4026532177        0 umount("/tmp/w/r1/m", 0)
   28107 umount           4026532177      -22 umount("/tmp/w/r1/m", 0)]],
  },
}

local calls = map{ lru = true }
local enter, exit = "tracepoint:syscalls:sys_enter_", "tracepoint:syscalls:sys_exit_"

local function entered(call, flags, target, source, type, data)
  if opt.pid and pid ~= opt.pid then return end
  calls[tid] = { call = call, flags = flags, target = target, source = source, type = type, data = data }
end
probe(enter .. "mount", function(a) entered("mount", a.flags, a.dir_name, a.dev_name, a.type, a.data) end)
probe(enter .. "umount", function(a) entered("umount", a.flags, a.name) end)
probe(enter .. "move_mount", function(a) entered("move_mount", a.flags, a.to_pathname, a.from_pathname) end)
probe(enter .. "fsopen", function(a) entered("fsopen", a.flags, a._fs_name) end)

local function text(p) return p and p ~= 0 and str(p) or nil end

probe({ exit .. "mount", exit .. "umount", exit .. "move_mount", exit .. "fsopen" }, function(args)
  local c = calls[tid]
  if not c then return end
  calls[tid] = nil
  return {
    pid = pid, comm = comm, mnt_ns = curtask.nsproxy.mnt_ns.ns.inum, call = c.call, ret = args.ret, flags = c.flags,
    target = text(c.target), source = text(c.source), type = text(c.type), data = text(c.data),
  }
end):each(function(e)
  local parts = {}
  for _, name in ipairs{ "source", "target", "type", "data" } do
    if e[name] then parts[#parts + 1] = ("%q"):format(e[name]) end
  end
  local call = ("%s(%s, %#x)"):format(e.call, table.concat(parts, ", "), e.flags)
  emit({ pid = e.pid, comm = e.comm, mnt_ns = e.mnt_ns, ret = e.ret, call = call },
    { "pid", "comm", "mnt_ns", "ret", "call" })
end)
