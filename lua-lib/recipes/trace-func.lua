recipe {
  name = "trace-func",
  summary = "Trace each call of a function with its arguments and result",
  version = "1.0.0",
  category = "functions",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "string", short = "s", type = "integer", help = "show the argument of this number (from 0) as text" },
    { name = "min", short = "m", type = "integer", default = 0, help = "only calls that took this many microseconds" },
  },
  examples = {
    [[
moontrace trace-func -s 1 do_sys_openat2
         PID          TID COMM                      RET       LAT_US TEXT
         173          173 cat                        -2          114 /usr/lib/locale/C.UTF-8/LC_CTYPE
         173          173 cat                         3         1243 /usr/lib/locale/C.utf8/LC_CTYPE
         173          173 cat                         3         2796 /etc/hostname]],
    "moontrace trace-func -s 0 libc:getenv   # LIBRARY:FUNCTION or PATH:FUNCTION is a user function",
  },
}

local target = arg[1] or error("which function? For example do_sys_openat2, or libc:malloc", 0)
local is_user = target:find(":", 1, true)
local calls = map { lru = true }

probe((is_user and "uprobe:" or "kprobe:") .. target, function()
  if opt.pid and pid ~= opt.pid then return end
  calls[tid] = { at = nsecs, a = arg0, b = arg1, c = arg2, d = arg3 }
end)

probe((is_user and "uretprobe:" or "kretprobe:") .. target, function()
  local call = calls[tid]
  if not call then return end
  calls[tid] = nil
  local us = (nsecs - call.at) // 1000
  if us < opt.min then return end
  if not opt.string then
    return {
      pid = pid, tid = tid, comm = comm, arg0 = call.a, arg1 = call.b, arg2 = call.c, arg3 = call.d, ret = retval,
      lat_us = us,
    }
  end
  local at = opt.string == 0 and call.a or opt.string == 1 and call.b or opt.string == 2 and call.c or call.d
  return { pid = pid, tid = tid, comm = comm, ret = retval, lat_us = us, text = str(at) or kstr(at) or "" }
end)
