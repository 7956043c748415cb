recipe {
  name = "syscount",
  summary = "Count system calls, by call or by process, with their latency",
  version = "2.0.0",
  category = "system calls",
  options = {
    { name = "pid", short = "p", type = "integer", help = "count only this process" },
    { name = "process", short = "P", type = "boolean", help = "count by process" },
    { name = "latency", short = "L", type = "boolean", help = "measure the time spent, and order by it" },
    { name = "top", short = "T", type = "integer", default = 10, help = "show only this many rows" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -c 'find /usr/share -name x' syscount -L -T 3
SYSCALL             COUNT TOTAL_US   AVG_NS
wait4                   2   503703 251851610
getdents64           6363   337037    52968
newfstatat           9547    65312     6841]],
    "moontrace run -d 10 syscount -P -T 5",
  },
}

local calls = opt.latency and stats() or count()
local function add(id, value)
  if opt.process then calls[{ pid, curtask.group_leader.comm }]:add(value) else calls[id]:add(value) end
end

if opt.latency then
  local started = map { lru = true }
  probe("rawtracepoint:sys_enter", function(args)
    if not opt.pid or pid == opt.pid then started[tid] = { id = args.id, at = nsecs } end
  end)
  probe("rawtracepoint:sys_exit", function()
    local call = started[tid]
    if not call then return end
    started[tid] = nil
    add(call.id, nsecs - call.at)
  end)
else
  probe("rawtracepoint:sys_enter", function(args)
    if not opt.pid or pid == opt.pid then add(args.id, 1) end
  end)
end

local columns = opt.process and { "pid", "comm", "count" } or { "syscall", "count" }
if opt.interval then table.insert(columns, 1, "time") end
if opt.latency then table.move({ "total_us", "avg_ns" }, 1, 2, #columns + 1, columns) end

local function show()
  local rows = calls:drain()
  if opt.latency then table.sort(rows, function(a, b) return a.value.sum > b.value.sum end) end
  for i = 1, math.min(opt.top, #rows) do
    local key, value = rows[i].key, rows[i].value
    local row = { time = opt.interval and strftime("%H:%M:%S"), count = opt.latency and value.count or value }
    if opt.process then row.pid, row.comm = key[1], key[2] else row.syscall = syscall_name(key) end
    if opt.latency then row.total_us, row.avg_ns = value.sum // 1000, value.sum // value.count end
    emit(row, columns)
  end
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
