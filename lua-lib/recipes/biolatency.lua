recipe {
  name = "biolatency",
  summary = "Histogram of the time that block devices take for requests",
  version = "1.0.0",
  category = "disks",
  options = {
    { name = "queued", short = "Q", type = "boolean", help = "with the time in the queue" },
    { name = "disks", short = "D", type = "boolean", help = "one histogram per disk" },
    { name = "milliseconds", short = "m", type = "boolean", help = "milliseconds instead of microseconds" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -c 'dd if=/some/file of=/dev/null bs=4k count=400 iflag=direct' biolatency -D
biolatency = vda
usecs      : count  distribution
 32 -> 63  :   386  |****************************************|
 64 -> 127 :    13  |*                                       |
128 -> 255 :     1  |                                        |
256 -> 511 :     1  |                                        |]],
    "moontrace biolatency -Q -i 5",
  },
}

local unit_ns = opt.milliseconds and 1000000 or 1000
local started, biolatency = map{ max = 65536 }, hist()

local function start(args) started[args.rq] = started[args.rq] or nsecs end

probe("rawtracepoint:block_rq_issue", start)
if opt.queued then probe("rawtracepoint:block_rq_insert", start) end

probe("rawtracepoint:block_rq_complete", function(args)
  local since = started[args.rq]
  if not since then return end
  started[args.rq] = nil
  local time = (nsecs - since) // unit_ns
  if opt.disks then biolatency[args.rq.q.disk.disk_name]:add(time) else biolatency:add(time) end
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  biolatency:print{ unit = opt.milliseconds and "msecs" or "usecs" }
  biolatency:clear()
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
