recipe {
  name = "runqlen",
  summary = "Histogram of how many tasks wait in the CPUs' run queues",
  version = "1.0.0",
  category = "scheduler",
  options = {
    { name = "frequency", short = "F", type = "integer", default = 99, help = "samples per second and CPU" },
    { name = "cpus", short = "C", type = "boolean", help = "one histogram per CPU" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -d 1 runqlen
runqlen
tasks  : count  distribution
0 -> 0 :    22  |********                                |
1 -> 1 :   100  |****************************************|
2 -> 2 :    26  |**********                              |
3 -> 3 :    28  |***********                             |
4 -> 4 :    10  |****                                    |
5 -> 5 :     4  |*                                       |
6 -> 6 :     5  |**                                      |
7 -> 7 :     0  |                                        |
8 -> 8 :     2  |                                        |
9 -> 9 :     1  |                                        |]],
    "moontrace runqlen -C -i 10",
  },
}

local runqlen = lhist(0, 256, 1)

probe("profile:" .. opt.frequency, function()
  local waiting = math.max(curtask.se.cfs_rq.rq.nr_running - 1, 0) -- without the one that runs
  if opt.cpus then runqlen[cpu]:add(waiting) else runqlen:add(waiting) end
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  runqlen:print{ title = opt.cpus and "cpu" or "runqlen", unit = "tasks" }
  runqlen:clear()
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
