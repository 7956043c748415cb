recipe {
  name = "writeback",
  summary = "Trace when the kernel writes dirty pages back, how many, why and how long it takes",
  version = "1.0.0",
  category = "disks",
  examples = {
    [[
moontrace writeback
     TIME_MS DEVICE                                  PAGES REASON                 LAT_US
          85 254:0                                   23468 sync                    52867
          85 254:0                                       0 sync                        1
          97 254:0                                     126 sync                    12378
          97 254:0                                       0 sync                        2]],
  },
}

local started = map()

-- enum wb_reason of linux/backing-dev-defs.h
local function reason(number)
  return number == 0 and "background" or number == 1 and "vmscan" or number == 2 and "sync"
    or number == 3 and "periodic" or number == 4 and "laptop_timer" or number == 5 and "fs_free_space"
    or number == 6 and "forker_thread" or number == 7 and "foreign_flush" or "other"
end

probe("tracepoint:writeback:writeback_start", function(args)
  started[tid] = { at = nsecs, pages = args.nr_pages }
end)

probe("tracepoint:writeback:writeback_written", function(args)
  local s = started[tid]
  if not s then return end
  started[tid] = nil
  return {
    time_ms = elapsed // 1000000, device = args.name, pages = s.pages - args.nr_pages, reason = reason(args.reason),
    lat_us = (nsecs - s.at) // 1000,
  }
end)
