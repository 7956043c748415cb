recipe {
  name = "numamove",
  summary = "Show how many pages NUMA balancing moves between nodes, and the time that it takes",
  version = "1.0.0",
  category = "memory",
  options = {
    { name = "interval", short = "i", type = "duration", default = "1s", help = "show so often" },
  },
  examples = {
    [[
moontrace numamove   # no NUMA here
TIME                PAGES   FAILED       US
13:10:20                0        0        0
13:10:21                0        0        0
13:10:21                0        0        0]],
  },
}

local NUMA_MISPLACED = 5 -- enum migrate_reason
local started, moved = map(), global{ pages = 0, failed = 0, ns = 0 }

probe("tracepoint:migrate:mm_migrate_pages_start", function(args)
  if args.reason == NUMA_MISPLACED then started[tid] = nsecs end
end)

probe("tracepoint:migrate:mm_migrate_pages", function(args)
  local since = started[tid]
  if not since then return end
  started[tid] = nil
  moved.pages = moved.pages + args.succeeded
  moved.failed = moved.failed + args.failed
  moved.ns = moved.ns + nsecs - since
end)

local pages, failed, ns = 0, 0, 0

local function show()
  emit({ time = strftime("%H:%M:%S"), pages = moved.pages - pages, failed = moved.failed - failed,
    us = (moved.ns - ns) // 1000 }, { "time", "pages", "failed", "us" })
  pages, failed, ns = moved.pages, moved.failed, moved.ns
end

every(opt.interval, show)
at_exit(show)
