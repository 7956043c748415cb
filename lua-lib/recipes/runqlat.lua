recipe {
  name = "runqlat",
  summary = "Histogram of the time that runnable tasks wait for a CPU",
  version = "2.0.0",
  category = "scheduler",
  options = {
    { name = "pid", short = "p", type = "integer", help = "measure only this process" },
    { name = "milliseconds", short = "m", type = "boolean", help = "milliseconds instead of microseconds" },
    { name = "process", short = "P", type = "boolean", help = "one histogram per process" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -d 2 runqlat -m
msecs     : count  distribution
 0 -> 0   :  4728  |****************************************|
 1 -> 1   :   118  |                                        |
 2 -> 3   :   439  |***                                     |
 4 -> 7   :   543  |****                                    |
 8 -> 15  :   162  |*                                       |
16 -> 31  :     1  |                                        |
32 -> 63  :     3  |                                        |
64 -> 127 :     3  |                                        |]],
    "moontrace runqlat -P -i 10",
  },
}

local unit_ns = opt.milliseconds and 1000000 or 1000
local queued, runqlat = map { max = 65536 }, hist()

local function enqueue(task)
  if task.pid == 0 or opt.pid and task.tgid ~= opt.pid then return end -- 0 is the idle task
  queued[task.pid] = nsecs
end

probe({ "rawtracepoint:sched_wakeup", "rawtracepoint:sched_wakeup_new" }, function(args) enqueue(args.p) end)

probe("rawtracepoint:sched_switch", function(args)
  local prev, next = args.prev, args.next
  if args.preempt or prev.__state == 0 then enqueue(prev) end -- still runnable: it waits again
  local since = queued[next.pid]
  if not since then return end
  queued[next.pid] = nil
  local wait = (nsecs - since) // unit_ns
  if opt.process then runqlat[{ next.tgid, next.group_leader.comm }]:add(wait) else runqlat:add(wait) end
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  runqlat:print{ title = "", unit = opt.milliseconds and "msecs" or "usecs" }
  runqlat:clear()
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
