-- How long system calls of a program take, as it changes: a heat map, and a line of calls a second.
--
--   moontrace examples/latency.lua --comm dd
local plot = require "moontrace.plot"

recipe {
  name = "latency",
  summary = "How long system calls take, over time",
  options = {
    { name = "comm", short = "c", type = "string", help = "only programs of this name" },
    { name = "interval", short = "i", type = "duration", default = 0.1, help = "the time of one column" },
  },
}

local begin, latency = map(), hist()

probe("tracepoint:raw_syscalls:sys_enter", function()
  if opt.comm and comm ~= opt.comm then return end
  begin[tid] = nsecs
end)

probe("tracepoint:raw_syscalls:sys_exit", function()
  local start = begin[tid]
  if not start then return end
  latency:add(nsecs - start)
  begin[tid] = nil
end)

local rows, calls = {}, {}

local function take()
  local time = #rows * opt.interval
  local drained = latency:drain()[1]
  local count = 0
  for _, range in ipairs(drained and drained.value or {}) do count = count + range.count end
  rows[#rows + 1] = { time, drained and drained.value }
  calls[#calls + 1] = { time, count / opt.interval }
end
every(opt.interval, take)

at_exit(function()
  take()
  print(plot.heat(rows, { title = "system call latency", unit = "ns" }))
  calls.title, calls.height = "\ncalls a second", 6
  print(plot.line(calls))
end)
