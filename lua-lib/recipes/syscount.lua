recipe {
  name = "syscount",
  summary = "Count system calls, by call or by process, with their latency",
  version = "1.0.0",
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

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile int target_pid;
const volatile bool by_process;
const volatile bool with_latency;

struct usage { u64 count; u64 total_ns; u64 named; char comm[16]; };
struct call { u64 start; u32 id; };

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH); __uint(map_flags, BPF_F_NO_PREALLOC); __uint(max_entries, 65536);
  __type(key, u32); __type(value, struct usage);
} usages SEC(".maps");
/* With the task, so that calls that never return (exit) leave nothing behind. */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int);
  __type(value, struct call);
} calls SEC(".maps");
static const struct usage nothing;

static int add(u32 id, u64 ns) {
  u32 key = by_process ? bpf_get_current_pid_tgid() >> 32 : id;
  struct usage *usage = bpf_map_lookup_elem(&usages, &key);
  if (!usage) bpf_map_update_elem(&usages, &key, &nothing, BPF_NOEXIST);
  if (!usage && !(usage = bpf_map_lookup_elem(&usages, &key))) return 0;
  __sync_fetch_and_add(&usage->count, 1);
  __sync_fetch_and_add(&usage->total_ns, ns);
  if (!by_process) return 0;
  usage->named = bpf_ktime_get_ns();
  __builtin_memcpy(usage->comm, bpf_get_current_task_btf()->group_leader->comm, sizeof usage->comm);
  return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *registers, long id) {
  if (target_pid && target_pid != bpf_get_current_pid_tgid() >> 32) return 0;
  if (!with_latency) return add(id, 0);
  struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (call) *call = (struct call){ bpf_ktime_get_ns(), id };
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit) {
  struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);
  if (!call || !call->start) return 0;
  u64 ns = bpf_ktime_get_ns() - call->start;
  call->start = 0;
  return add(call->id, ns);
}
char LICENSE[] SEC("license") = "GPL";
]]

o.globals.target_pid = opt.pid or 0
o.globals.by_process = opt.process
o.globals.with_latency = opt.latency
if not opt.latency then o.programs.on_exit:disable() end
o:attach()

local columns = opt.process and { "pid", "comm", "count" } or { "syscall", "count" }
local by = columns[1]
if opt.interval then table.insert(columns, 1, "time") end
if opt.latency then table.move({ "total_us", "avg_ns" }, 1, 2, #columns + 1, columns) end

local function row(key, per_cpu)
  local count, ns, named, comm = 0, 0, 0, ""
  for _, usage in ipairs(per_cpu) do
    count, ns = count + usage.count, ns + usage.total_ns
    if usage.named > named then named, comm = usage.named, usage.comm end -- exec gives it a new one
  end
  local row = { count = count, ns = ns }
  if opt.process then row.pid, row.comm = key, comm else row.syscall = syscall_name(key) end
  if opt.latency then row.total_us, row.avg_ns = ns // 1000, count > 0 and ns // count or 0 end
  return row
end

local function show()
  local rows = {}
  for _, entry in ipairs(o.maps.usages:drain()) do rows[#rows + 1] = row(entry[1], entry[2]) end
  local order = opt.latency and "ns" or "count"
  table.sort(rows, function(a, b)
    if a[order] ~= b[order] then return a[order] > b[order] end
    return a[by] < b[by]
  end)
  for i = 1, math.min(opt.top, #rows) do
    rows[i].ns, rows[i].time = nil, opt.interval and strftime("%H:%M:%S")
    emit(rows[i], columns)
  end
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
