recipe {
  name = "execsnoop",
  summary = "Trace new programs with their arguments",
  version = "2.0.0",
  category = "processes",
  options = {
    { name = "failed", short = "x", type = "boolean", help = "show failed attempts too" },
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "parent", short = "P", type = "integer", help = "trace only children of this process" },
    { name = "uid", short = "u", type = "integer", help = "trace only this user" },
  },
  examples = {
    [[
moontrace execsnoop -x
     PID     PPID      UID COMM                  RET ARGS
   14151    14150        0 make                    0 make --version
   14152    14150        0 git                     0 git status --short
   14153    14150        0 sh                      0 sh -c exec /usr/bin/nothing
   14153    14150        0 sh                     -2 /usr/bin/nothing]],
    "moontrace execsnoop -x -u 1000",
  },
}

local argv = map() -- of the attempt that a thread makes
probe({ "t:syscalls:sys_enter_execve", "t:syscalls:sys_enter_execveat" }, function(args) argv[tid] = args.argv end)

local given, programs = stream(), stream()
probe({ "t:syscalls:sys_exit_execve", "t:syscalls:sys_exit_execveat" }, function(args)
  local list, mm = argv[tid], curtask.mm
  argv[tid] = nil
  if args.ret ~= 0 and not opt.failed then return end
  if opt.pid and pid ~= opt.pid or opt.parent and ppid ~= opt.parent or opt.uid and uid ~= opt.uid then return end
  local got -- by the new program: one after the other, each with its NUL
  if args.ret == 0 then got = buf(mm.arg_start, mm.arg_end - mm.arg_start, 4096) end
  for i = 0, 31 do
    local arg = args.ret ~= 0 and list and list[i]
    if not arg then break end
    given:emit{ pid = pid, arg = str(arg) }
  end
  programs:emit{ pid = pid, ppid = ppid, uid = uid, comm = comm, ret = args.ret, args = got }
end)

local lists = {} -- what failed attempts gave, which comes first
given:each(function(e)
  lists[e.pid] = lists[e.pid] or {}
  table.insert(lists[e.pid], e.arg or "?")
end)
programs:each(function(e)
  local args = e.args and e.args:sub(1, -2):gsub("\0", " ") or table.concat(lists[e.pid] or {}, " ")
  lists[e.pid] = nil
  emit({ pid = e.pid, ppid = e.ppid, uid = e.uid, comm = e.comm, ret = e.ret, args = args },
    { "pid", "ppid", "uid", "comm", "ret", "args" })
end)
