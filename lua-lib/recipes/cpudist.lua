recipe {
  name = "cpudist",
  summary = "Histogram of the time that tasks stay on a CPU, or off it, at a stretch",
  version = "1.0.0",
  category = "scheduler",
  options = {
    { name = "pid", short = "p", type = "integer", help = "measure only this process" },
    { name = "offcpu", short = "O", type = "boolean", help = "the time off the CPU" },
    { name = "milliseconds", short = "m", type = "boolean", help = "milliseconds instead of microseconds" },
    { name = "process", short = "P", type = "boolean", help = "one histogram per process" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -d 2 cpudist -m
cpudist
msecs   : count  distribution
0 -> 0  :  7174  |****************************************|
1 -> 1  :   295  |*                                       |
2 -> 3  :   660  |***                                     |
4 -> 7  :   105  |                                        |
8 -> 15 :    33  |                                        |]],
    "moontrace run -c make cpudist -O -P",
  },
}

local unit_ns = opt.milliseconds and 1000000 or 1000
local started, cpudist = map{ max = 65536 }, hist()

local function start(task)
  if task.pid == 0 or opt.pid and task.tgid ~= opt.pid then return end -- 0 is the idle task
  started[task.pid] = nsecs
end

local function stop(task)
  local at = started[task.pid]
  if not at then return end
  started[task.pid] = nil
  local time = (nsecs - at) // unit_ns
  if opt.process then cpudist[{ task.tgid, task.group_leader.comm }]:add(time) else cpudist:add(time) end
end

probe("rawtracepoint:sched_switch", function(args)
  stop(opt.offcpu and args.next or args.prev)
  start(opt.offcpu and args.prev or args.next)
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  cpudist:print{ unit = opt.milliseconds and "msecs" or "usecs" }
  cpudist:clear()
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
