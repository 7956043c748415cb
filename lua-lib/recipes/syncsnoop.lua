recipe {
  name = "syncsnoop",
  summary = "Trace calls of sync, fsync and their kin, with the time that they took",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
  },
  examples = {
    [[
moontrace syncsnoop
         PID COMM             EVENT                     RET           US
        2936 sync             sync                        0        90584
        2937 dd               fdatasync                   0         1850]],
  },
}

local started, out = map(), stream()

for _, call in ipairs{ "sync", "syncfs", "fsync", "fdatasync", "sync_file_range", "msync" } do
  probe("tracepoint:syscalls:sys_enter_" .. call, function()
    if not opt.pid or pid == opt.pid then started[tid] = { at = nsecs, call = call } end
  end)
  probe("tracepoint:syscalls:sys_exit_" .. call, function(args)
    local s = started[tid]
    if not s then return end
    started[tid] = nil
    out:emit{ pid = pid, comm = comm, event = s.call, ret = args.ret, us = (nsecs - s.at) // 1000 }
  end)
end
