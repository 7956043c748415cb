recipe {
  name = "exitsnoop",
  summary = "Trace processes that end, with their age and exit code or signal",
  version = "1.0.0",
  category = "processes",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "failed", short = "x", type = "boolean", help = "show only those that failed" },
    { name = "threads", short = "t", type = "boolean", help = "show each thread, its id in the column TID" },
  },
  examples = {
    [[
moontrace exitsnoop
     PID     PPID      TID COMM               AGE_MS     CODE SIGNAL
   14157    14156    14157 ls                      2        0
   14159    14158    14159 sleep                1001      143 SIGTERM
   14158    14156    14158 timeout              1003      124]],
    "moontrace exitsnoop -x   # CODE is 128 + the signal's number for those that a signal ended, as in a shell",
  },
}

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define SIGNAL_GROUP_EXIT 0x4 /* linux/sched/signal.h */

const volatile int target_pid;
const volatile bool failed_only;
const volatile bool each_thread;

struct event { int pid; int ppid; int tid; char comm[16]; u64 age_ns; u32 status; }; /* status as wait(2) gives it */
struct process { u64 start; u64 pid; };

struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");
/* Processes told of: of two threads that end at once, both may find no other thread alive. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 4096); __type(key, struct process); __type(value, u8);
} ended SEC(".maps");

static u32 exit_status(struct task_struct *task) {
  if (each_thread) return task->exit_code;
  struct signal_struct *signal = task->signal;
  return signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->group_leader->exit_code;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task) {
  u32 status = exit_status(task);
  struct task_struct *of = each_thread ? task : task->group_leader;
  struct process process = { of->start_boottime, task->tgid };
  u8 yes = 1;
  if ((target_pid && target_pid != task->tgid) || (failed_only && !status)) return 0;
  if (!each_thread && task->signal->live.counter > 0) return 0;
  if (!each_thread && bpf_map_update_elem(&ended, &process, &yes, BPF_NOEXIST)) return 0;
  struct event *e = bpf_ringbuf_reserve(&events, sizeof *e, 0);
  if (!e) return 0;
  e->pid = task->tgid;
  e->ppid = task->real_parent->tgid;
  e->tid = of->pid;
  __builtin_memcpy(e->comm, of->comm, sizeof e->comm);
  e->age_ns = bpf_ktime_get_boot_ns() - process.start;
  e->status = status;
  bpf_ringbuf_submit(e, 0);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
]]

o.globals.target_pid = opt.pid or 0
o.globals.failed_only = opt.failed
o.globals.each_thread = opt.threads

local columns = { "pid", "ppid", "tid", "comm", "age_ms", "code", "signal" }
o.maps.events:each(function(e)
  local signal = e.status & 0x7f
  emit({
    pid = e.pid, ppid = e.ppid, tid = e.tid, comm = e.comm,
    age_ms = e.age_ns // 1000000,
    code = signal > 0 and 128 + signal or e.status >> 8 & 0xff,
    signal = signal > 0 and signal_name(signal) or "",
  }, columns)
end)
o:attach()
