recipe {
  name = "cpuwalk",
  summary = "Sample which CPUs run something, to see whether load is balanced",
  version = "1.0.0",
  category = "cpu",
  options = {
    { name = "pid", short = "p", type = "integer", help = "sample only this process" },
    { name = "frequency", short = "F", type = "integer", default = 99, help = "samples per second and CPU" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace cpuwalk
cpuwalk
cpu    : count  distribution
0 -> 0 :   978  |*************************************** |
1 -> 1 :   982  |****************************************|]],
  },
}

local cpuwalk = lhist(0, 4096, 1)

probe("profile:" .. opt.frequency, function()
  if pid == 0 or opt.pid and pid ~= opt.pid then return end -- 0 is the idle task
  cpuwalk:add(cpu)
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  cpuwalk:print{ unit = "cpu" }
  cpuwalk:clear()
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
