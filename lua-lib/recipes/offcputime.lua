recipe {
  name = "offcputime",
  summary = "Sum the time that tasks are off the CPU, by the stacks that led there",
  version = "1.1.0",
  category = "scheduler",
  options = {
    { name = "pid", short = "p", type = "integer", help = "only this process" },
    { name = "user", short = "U", type = "boolean", help = "user stacks only" },
    { name = "kernel", short = "K", type = "boolean", help = "kernel stacks only" },
    { name = "folded", short = "f", type = "boolean", help = "one line a stack, ready for flamegraph.pl" },
    { name = "flamegraph", type = "file", help = "draw a flame graph (SVG) instead of printing" },
    { name = "min", short = "m", type = "integer", default = 1, help = "only waits of at least so many microseconds" },
    { name = "max", short = "M", type = "integer", help = "only waits of at most so many microseconds" },
  },
  examples = {
    [[
moontrace run -d 2 offcputime -U -m 500 -p 4242
offcputime
  clock_nanosleep+0x23
  main+0x21b
  libc.so.6+0x2724a
  wlr2
    sum (usecs) 1978159]],
    "moontrace run -d 10 offcputime --flamegraph out.svg",
    "moontrace run -d 10 offcputime -f > out.folded",
  },
}

local with_user, with_kernel = opt.user or not opt.kernel, opt.kernel or not opt.user
local off = map{ max = 65536 }
if opt.folded and opt.flamegraph then error("--folded and --flamegraph exclude each other", 0) end
local offcputime = opt.folded and map{ max = 65536 } or sum{ max = 65536 }

local function add(stacks, us)
  if opt.folded then offcputime[stacks] = (offcputime[stacks] or 0) + us else offcputime[stacks]:add(us) end
end

-- The wait of the task that gets the CPU ends, and one of the task that leaves it begins.
probe("tracepoint:sched:sched_switch", function(args)
  local wait = off[args.next_pid]
  if wait then
    off[args.next_pid] = nil
    local us = (nsecs - wait.at) // 1000
    if us >= opt.min and not (opt.max and us > opt.max) then
      if not with_kernel then add({ wait.user, wait.comm }, us)
      elseif not with_user then add({ wait.kernel, wait.comm }, us)
      else add({ wait.kernel, wait.user, wait.comm }, us) end
    end
  end
  if tid == 0 or opt.pid and pid ~= opt.pid then return end -- 0 is the idle task
  off[tid] = { at = nsecs, comm = comm, user = with_user and ustack, kernel = with_kernel and kstack }
end)

local function folded(key)
  local text = ""
  for _, part in ipairs(key) do
    for frame in part:gmatch("[^\n]+") do text = ";" .. frame:gsub("%+0x%x+$", "") .. text end
  end
  return text:sub(2)
end

at_exit(function()
  if opt.flamegraph then
    return offcputime:flamegraph { file = opt.flamegraph, title = "time off the CPU", unit = "µs" }
  end
  if not opt.folded then return offcputime:print{ unit = "usecs" } end
  for key, us in pairs(offcputime) do print(folded(key) .. " " .. us) end
end)
