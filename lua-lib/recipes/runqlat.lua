recipe {
  name = "runqlat",
  summary = "Histogram of the time that runnable tasks wait for a CPU",
  version = "1.0.0",
  category = "scheduler",
  options = {
    { name = "pid", short = "p", type = "integer", help = "measure only this process" },
    { name = "milliseconds", short = "m", type = "boolean", help = "milliseconds instead of microseconds" },
    { name = "process", short = "P", type = "boolean", help = "one histogram per process" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
  },
  examples = {
    [[
moontrace run -d 5 runqlat
usecs        : count  distribution
   4 -> 7    :    46  |*********                               |
   8 -> 15   :    86  |****************                        |
  16 -> 31   :   204  |****************************************|
  32 -> 63   :   134  |**************************              |
  64 -> 127  :    13  |**                                      |]],
    "moontrace runqlat -P -i 10",
  },
}

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define SLOTS 40

const volatile int target_pid;
const volatile bool by_process;
const volatile u32 unit_ns = 1000;

struct waits { u64 slots[SLOTS]; char comm[16]; };

struct {
  __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 65536); __type(key, u32); __type(value, u64);
} queued SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_HASH); __uint(map_flags, BPF_F_NO_PREALLOC); __uint(max_entries, 65536);
  __type(key, u32); __type(value, struct waits);
} waits SEC(".maps");
static const struct waits nothing;

static int enqueue(struct task_struct *task) {
  u32 tid = task->pid;
  u64 now = bpf_ktime_get_ns();
  if (!tid || (target_pid && target_pid != task->tgid)) return 0; /* 0 is the idle task */
  bpf_map_update_elem(&queued, &tid, &now, BPF_ANY);
  return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task) { return enqueue(task); }

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *task) { return enqueue(task); }

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *previous, struct task_struct *next) {
  if (preempt || !previous->__state) enqueue(previous); /* still runnable: it waits again */
  u32 tid = next->pid, key = by_process ? next->tgid : 0;
  u64 *since = bpf_map_lookup_elem(&queued, &tid);
  if (!since) return 0;
  u64 wait = (bpf_ktime_get_ns() - *since) / unit_ns;
  bpf_map_delete_elem(&queued, &tid);
  struct waits *entry = bpf_map_lookup_elem(&waits, &key);
  if (!entry) bpf_map_update_elem(&waits, &key, &nothing, BPF_NOEXIST);
  if (!entry && !(entry = bpf_map_lookup_elem(&waits, &key))) return 0;
  __builtin_memcpy(entry->comm, next->group_leader->comm, sizeof entry->comm); /* exec gives it a new one */
  u32 slot = 63 - __builtin_clzll(wait | 1);
  __sync_fetch_and_add(&entry->slots[slot < SLOTS ? slot : SLOTS - 1], 1);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
]]

o.globals.target_pid = opt.pid or 0
o.globals.by_process = opt.process
o.globals.unit_ns = opt.milliseconds and 1000000 or 1000
o:attach()

local hist = require "moontrace.hist"
local options = { name = "runqlat", unit = opt.milliseconds and "msecs" or "usecs" }

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  local by_process, all = {}, {}
  for _, entry in ipairs(o.maps.waits:drain()) do
    local pid, waits = entry[1], entry[2]
    by_process[{ pid, waits.comm }], all = waits.slots, waits.slots
  end
  if opt.process then hist.print_keyed(by_process, options) else hist.print_log2(all, options) end
end

if opt.interval then every(opt.interval, show) end
at_exit(show)
