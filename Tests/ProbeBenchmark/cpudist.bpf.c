#include "probe.h"

MAP(started, HASH, u64, u64, 65536);
MAP(dist, PERCPU_ARRAY, u32, u64, 66);

/* A task's id: what can't be read ends the run. */
static __always_inline bool read_id(struct task_struct *task, u64 *id) {
  int value;
  if (bpf_probe_read_kernel(&value, sizeof value, &task->pid)) return false;
  *id = (s64)value;
  return true;
}

SEC("raw_tp/sched_switch") int on_switch(struct bpf_raw_tracepoint_args *c) {
  u64 id;
  if (!read_id(ARG(c, struct task_struct *, 1), &id)) FAIL(1);
  u64 *found = bpf_map_lookup_elem(&started, &id);
  if (found) {
    u64 at = *found;
    bpf_map_delete_elem(&started, &id);
    u32 slot = bucket((bpf_ktime_get_ns() - at) / 1000);
    u64 *count = bpf_map_lookup_elem(&dist, &slot);
    if (count) __sync_fetch_and_add(count, 1);
  }
  if (!read_id(ARG(c, struct task_struct *, 2), &id)) FAIL(2);
  if (id == 0) return 0;
  u64 now = bpf_ktime_get_ns();
  if (bpf_map_update_elem(&started, &id, &now, BPF_ANY)) FAIL(3);
  return 0;
}
