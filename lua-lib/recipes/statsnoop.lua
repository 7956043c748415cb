recipe {
  name = "statsnoop",
  summary = "Trace stat, statx and statfs calls by path and their result",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "failed", short = "x", type = "boolean", help = "show only failed calls" },
  },
  examples = {
    [[
moontrace statsnoop
     PID COMM             CALL                  RET ERROR            PATH
    2917 stat             statx                   0 OK               /etc/hostname
    2917 stat             newfstatat              0 OK               /etc/nsswitch.conf
    2917 stat             statx                  -2 ENOENT           /nothing
    2918 stat             statfs                  0 OK               /]],
    "moontrace run --format json statsnoop -x",
  },
}

local started, out = map{ max = 32768 }, stream()

for call, path in pairs{
  newstat = "filename", newlstat = "filename", newfstatat = "filename", statx = "filename", statfs = "pathname",
} do
  probe("tracepoint:syscalls:sys_enter_" .. call, function(args)
    if not opt.pid or pid == opt.pid then started[tid] = args[path] end
  end)
  probe("tracepoint:syscalls:sys_exit_" .. call, function(args)
    local file = started[tid]
    if not file then return end
    started[tid] = nil
    if opt.failed and args.ret >= 0 then return end
    local name = str(file, 4095)
    if name ~= "" then out:emit{ pid = pid, comm = comm, call = call, ret = args.ret, path = name } end
  end)
end

out:each(function(e)
  emit({
    pid = e.pid, comm = e.comm, call = e.call, ret = e.ret, error = e.ret < 0 and errno_name(e.ret) or "OK",
    path = e.path or "",
  }, { "pid", "comm", "call", "ret", "error", "path" })
end)
