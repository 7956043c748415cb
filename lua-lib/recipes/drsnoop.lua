recipe {
  name = "drsnoop",
  summary = "Trace processes that have to free memory themselves, and how long it holds them up",
  version = "1.0.0",
  category = "memory",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "memcg", short = "m", type = "boolean", help = "also where a control group reaches its limit" },
  },
  examples = {
    [[
moontrace drsnoop -m
COMM                      PID       LAT_US        PAGES        ORDER
dd                       3156           64           71            0
dd                       3156           41           71            0
dd                       3156           47           71            0]],
  },
}

local started = map()

local function begin(args)
  if not opt.pid or pid == opt.pid then started[tid] = { at = nsecs, order = args.order } end
end

local reclaims = stream()

local function done(args)
  local s = started[tid]
  if not s then return end
  started[tid] = nil
  reclaims:emit{ comm = comm, pid = pid, lat_us = (nsecs - s.at) // 1000, pages = args.nr_reclaimed, order = s.order }
end

probe("tracepoint:vmscan:mm_vmscan_direct_reclaim_begin", begin)
probe("tracepoint:vmscan:mm_vmscan_direct_reclaim_end", done)
if opt.memcg then
  probe("tracepoint:vmscan:mm_vmscan_memcg_reclaim_begin", begin)
  probe("tracepoint:vmscan:mm_vmscan_memcg_reclaim_end", done)
end
