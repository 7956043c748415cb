recipe {
  name = "hardirqs",
  summary = "Sum the time spent in interrupt handlers, or show it as histograms",
  version = "1.0.0",
  category = "cpu",
  options = {
    { name = "dist", short = "d", type = "boolean", help = "one histogram per interrupt" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace hardirqs
HARDIRQ             COUNT TOTAL_US
virtio1-req.0         427     1249
virtio3-tx              1       14]],
    "moontrace hardirqs -d",
  },
}

local entered, counts, totals = map(), map(), map()
local hardirqs = opt.dist and hist()

probe("rawtracepoint:irq_handler_entry", function(args)
  entered[{ cpu, args.irq }] = nsecs
end)

probe("rawtracepoint:irq_handler_exit", function(args)
  local key = { cpu, args.irq }
  local since, name = entered[key], str(args.action.name, 32)
  if not since or not name then return end
  entered[key] = nil
  if opt.dist then
    hardirqs[name]:add(nsecs - since)
  else
    counts[name] = (counts[name] or 0) + 1
    totals[name] = (totals[name] or 0) + nsecs - since
  end
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  if opt.dist then
    hardirqs:print{ unit = "nsecs" }
    return hardirqs:clear()
  end
  local rows = totals:drain()
  table.sort(rows, function(a, b) return a[2] > b[2] end)
  for _, row in ipairs(rows) do
    emit({ hardirq = row[1], count = counts[row[1]], total_us = row[2] // 1000 }, { "hardirq", "count", "total_us" })
  end
  counts:clear()
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
