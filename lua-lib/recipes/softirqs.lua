recipe {
  name = "softirqs",
  summary = "Sum the time spent in soft interrupts, or show it as histograms",
  version = "1.0.0",
  category = "cpu",
  options = {
    { name = "dist", short = "d", type = "boolean", help = "one histogram per soft interrupt" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -d 5 softirqs
SOFTIRQ             COUNT TOTAL_US
rcu                   819    10816
sched                 201     3986
timer                 287     2873
block                 195     2723]],
    "moontrace softirqs -d -i 1",
  },
}

local entered, counts, totals, names = map(), map(), map(), map() -- names: for both halves
for i, name in ipairs{ "hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu" } do
  names[i - 1] = name
end
local softirqs = opt.dist and hist()

probe("rawtracepoint:softirq_entry", function(args) entered[{ cpu, args.vec_nr }] = nsecs end)

probe("rawtracepoint:softirq_exit", function(args)
  local vec = args.vec_nr
  local since = entered[{ cpu, vec }]
  if not since then return end
  entered[{ cpu, vec }] = nil
  if opt.dist then
    softirqs[names[vec]]:add(nsecs - since)
  else
    counts[vec] = (counts[vec] or 0) + 1
    totals[vec] = (totals[vec] or 0) + nsecs - since
  end
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  if opt.dist then
    softirqs:print{ unit = "nsecs" }
    return softirqs:clear()
  end
  local rows = totals:drain()
  table.sort(rows, function(a, b) return a[2] > b[2] end)
  for _, row in ipairs(rows) do
    local name, us = names[row[1]], row[2] // 1000
    emit({ softirq = name, count = counts[row[1]], total_us = us }, { "softirq", "count", "total_us" })
  end
  counts:clear()
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
