recipe {
  name = "opensnoop",
  summary = "Trace file opens and their result",
  version = "2.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "failed", short = "x", type = "boolean", help = "show only failed opens" },
    { name = "name", short = "n", type = "string", help = "trace only processes of this name" },
  },
  examples = {
    [[
moontrace run -c 'cat /etc/hostname /etc/nothing' opensnoop -n cat
     PID COMM                  RET ERROR        MODE     PATH
   14145 cat                     3 OK           O_RDONLY /lib/x86_64-linux-gnu/libc.so.6
   14145 cat                    -2 ENOENT       O_RDONLY /usr/lib/locale/locale-archive
   14145 cat                     3 OK           O_RDONLY /etc/hostname
   14145 cat                    -2 ENOENT       O_RDONLY /etc/nothing]],
    "moontrace run --format json opensnoop -x",
  },
}

local name = opt.name and opt.name:sub(1, 15) -- as the kernel cuts names
local attempts = map()

local function enter(path, flags)
  if opt.pid and pid ~= opt.pid or name and comm ~= name then return end
  attempts[tid] = { path = path, flags = flags }
end

local starts, ends = "t:syscalls:sys_enter_", "t:syscalls:sys_exit_"
probe({ starts .. "open", starts .. "openat" }, function(args) enter(args.filename, args.flags) end)
probe(starts .. "creat", function(args) enter(args.pathname, 1) end)
probe(starts .. "openat2", function(args) enter(args.filename, args.how.flags) end)

probe({ ends .. "open", ends .. "openat", ends .. "creat", ends .. "openat2" }, function(args)
  local attempt = attempts[tid]
  if not attempt then return end
  attempts[tid] = nil
  if opt.failed and args.ret >= 0 then return end
  return { pid = pid, comm = comm, ret = args.ret, flags = attempt.flags, path = str(attempt.path, 4096) }
end):each(function(e)
  local modes = { [0] = "O_RDONLY", "O_WRONLY", "O_RDWR" }
  emit({
    pid = e.pid, comm = e.comm, ret = e.ret, error = e.ret < 0 and errno_name(e.ret) or "OK",
    mode = e.flags and modes[e.flags & 3], path = e.path,
  }, { "pid", "comm", "ret", "error", "mode", "path" })
end)
