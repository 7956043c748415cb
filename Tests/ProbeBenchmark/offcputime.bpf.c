#include "probe.h"

struct wait { s64 at; char comm[16]; s64 kernel, pid, user; };
struct place { s64 kernel, pid, user; char comm[16]; };
typedef u64 trace[127];
MAP(off, HASH, u64, struct wait, 65536);
MAP(totals, PERCPU_HASH, struct place, u64, 65536);
MAP(stacks, STACK_TRACE, u32, trace, 16384);
static const u64 nothing;

static __always_inline u64 *total_of(struct place *key) {
  u64 *total = bpf_map_lookup_elem(&totals, key);
  if (total) return total;
  bpf_map_update_elem(&totals, key, &nothing, BPF_NOEXIST);
  return bpf_map_lookup_elem(&totals, key);
}

SEC("tracepoint/sched/sched_switch") int on_switch(struct trace_event_raw_sched_switch *c) {
  u64 next = (s64)c->next_pid;
  struct wait *found = bpf_map_lookup_elem(&off, &next);
  if (found) {
    struct wait wait = *found;
    bpf_map_delete_elem(&off, &next);
    s64 us = (bpf_ktime_get_ns() - wait.at) / 1000;
    if (us >= 1) {
      struct place key = { wait.kernel, wait.pid, wait.user };
      __builtin_memcpy(key.comm, wait.comm, sizeof key.comm);
      u64 *total = total_of(&key);
      if (!total) FAIL(1);
      __sync_fetch_and_add(total, us);
    }
  }
  u64 id = bpf_get_current_pid_tgid(), tid = (u32)id;
  if (tid == 0) return 0;
  struct wait wait = { .at = bpf_ktime_get_ns(), .pid = id >> 32 };
  bpf_get_current_comm(wait.comm, sizeof wait.comm);
  wait.user = bpf_get_stackid(c, &stacks, BPF_F_USER_STACK);
  wait.kernel = bpf_get_stackid(c, &stacks, 0);
  if (bpf_map_update_elem(&off, &tid, &wait, BPF_ANY)) FAIL(2);
  return 0;
}
