recipe {
  name = "biotop",
  summary = "Show which processes use the disks most, refreshed like top",
  version = "1.0.0",
  category = "disks",
  options = {
    { name = "interval", short = "i", type = "duration", default = "1s", help = "show and start afresh so often" },
    { name = "top", short = "T", type = "integer", default = 20, help = "show only so many rows" },
  },
  examples = {
    [[
moontrace biotop -T 3
13:05:11
     PID COMM             T                DISK                   IO   KBYTES   AVG_US
    2453 dd               R                vda                   400     1600       74
    2088 swift-frontend   R                vda                    42      408      718
    2077 swift-frontend   R                vda                     7      208      426]],
    "moontrace biotop -i 5",
  },
}

local started, requests, bytes, time = map{ max = 65536 }, map(), map(), map()

-- Where a request is made, its process still runs; later it may be a kernel thread.
local function start(args)
  if not started[args.rq] then started[args.rq] = { at = nsecs, pid = pid, comm = comm } end
end

probe({ "rawtracepoint:block_io_start", "rawtracepoint:block_rq_insert" }, start, { first = true })
probe("rawtracepoint:block_rq_issue", start)

probe("rawtracepoint:block_rq_complete", function(args)
  local rq = args.rq
  local s = started[rq]
  if not s then return end
  started[rq] = nil
  local t = rq.cmd_flags & 1 == 1 and "W" or "R" -- writing operations have odd numbers
  local key = { s.pid, s.comm, t, rq.q.disk.disk_name }
  requests[key] = (requests[key] or 0) + 1
  bytes[key] = (bytes[key] or 0) + args.nr_bytes
  time[key] = (time[key] or 0) + nsecs - s.at
end)

local columns = { "pid", "comm", "t", "disk", "io", "kbytes", "avg_us" }

local function show()
  if output_format == "table" then print(strftime("%H:%M:%S")) end
  local rows = bytes:drain()
  table.sort(rows, function(a, b) return a[2] > b[2] end)
  for i = 1, math.min(opt.top, #rows) do
    local key, n = rows[i][1], requests[rows[i][1]]
    emit({ pid = key[1], comm = key[2], t = key[3], disk = key[4], io = n, kbytes = rows[i][2] // 1024,
      avg_us = time[key] // n // 1000 }, columns)
  end
  requests:clear()
  time:clear()
end

every(opt.interval, show)
at_exit(show)
