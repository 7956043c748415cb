recipe {
  name = "lsof",
  summary = "List the open files of all processes",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "only this process" },
    { name = "comm", short = "c", type = "string", help = "only processes of this name" },
  },
  examples = {
    [[
moontrace lsof -p 7277
     PID COMM             FD               TYPE             DEVICE               SIZE     NODE NAME
    7277 sleep            0r               REG              254,0                   5 16223071 /tmp/q.txt
    7277 sleep            1u               CHR              0,6                     0        3 /null
    7277 sleep            2u               CHR              0,6                     0        3 /null]],
    "moontrace lsof -c sshd   # NAME is the path below its mount, of the last five parts",
  },
}

local function name(entry) return kstr(entry.d_name.name, 63) end -- "/" from the root of the file system upwards

probe("iter:task_file", function(args)
  local task, file = args.task, args.file
  if not task or not file or opt.pid and task.tgid ~= opt.pid then return end
  if opt.comm and task.comm ~= opt.comm then return end
  local a = file.f_path.dentry
  local b = a.d_parent
  local c = b.d_parent
  local d = c.d_parent
  local e = d.d_parent
  local inode = file.f_inode
  return {
    pid = task.tgid, comm = task.comm, fd = args.fd, mode = inode.i_mode, flags = file.f_mode,
    dev = inode.i_sb.s_dev, node = inode.i_ino, size = inode.i_size, alone = a == b,
    a = name(a), b = name(b), c = name(c), d = name(d), e = name(e),
  }
end):each(function(e)
  local types = { [1] = "FIFO", [2] = "CHR", [4] = "DIR", [6] = "BLK", [8] = "REG", [10] = "LNK", [12] = "sock" }
  local path = e.e == "/" and "" or "..."
  for _, part in ipairs { e.e, e.d, e.c, e.b, e.a } do
    if part ~= "/" then path = path .. "/" .. part end
  end
  emit({
    pid = e.pid, comm = e.comm, fd = e.fd .. (({ "r", "w", "u" })[e.flags & 3] or ""),
    type = types[e.mode >> 12] or "0000", device = (e.dev >> 20) .. "," .. (e.dev & 0xfffff), size = e.size,
    node = e.node, name = e.alone and e.a or path,
  }, { "pid", "comm", "fd", "type", "device", "size", "node", "name" })
end)
