recipe {
  name = "biosnoop",
  summary = "Trace disk requests with their process, size and latency",
  version = "1.0.0",
  category = "disks",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "disk", short = "d", type = "string", help = "trace only this disk" },
  },
  examples = {
    [[
moontrace biosnoop
     TIME_MS COMM                      PID DISK                             T              SECTOR        BYTES       QUE_US       LAT_US
          45 dd                      12503 vda                              R            20401920        12288            9          283
          45 dd                      12503 vda                              R            20401960         4096            1          274
          45 dd                      12503 vda                              R            20401976        16384            1          267
          46 dd                      12503 vda                              R            28388432         4096            3           98
          46 dd                      12503 vda                              R            28388440         4096            2           56
          46 dd                      12503 vda                              R            28388448         4096            1           47]],
    "moontrace biosnoop -d vda",
  },
}

local started, issued = map{ max = 65536 }, map{ max = 65536 }

-- REQ_OP_* of linux/blk_types.h
local function kind(op)
  return op == 0 and "R" or op == 1 and "W" or op == 2 and "F" or op == 3 and "D" or "?"
end

-- Where a request is made, its process still runs; later it may be a kernel thread.
local function start(args)
  if not started[args.rq] then started[args.rq] = { at = nsecs, pid = pid, comm = comm } end
end

probe({ "rawtracepoint:block_io_start", "rawtracepoint:block_rq_insert" }, start, { first = true })
probe("rawtracepoint:block_rq_issue", function(args)
  start(args)
  issued[args.rq] = nsecs
end)

probe("rawtracepoint:block_rq_complete", function(args)
  local rq = args.rq
  local s, at = started[rq], issued[rq]
  started[rq], issued[rq] = nil, nil
  if not s or not at then return end
  local disk = rq.q.disk.disk_name
  if opt.pid and s.pid ~= opt.pid or opt.disk and disk ~= opt.disk then return end
  return {
    time_ms = elapsed // 1000000, comm = s.comm, pid = s.pid, disk = disk, t = kind(rq.cmd_flags & 0xff),
    sector = rq.__sector, bytes = args.nr_bytes, que_us = (at - s.at) // 1000, lat_us = (nsecs - at) // 1000,
  }
end)
