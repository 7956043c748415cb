#include "probe.h"

struct place { u64 cpu, vec; };
MAP(entered, HASH, struct place, u64, 10240);
MAP(counts, HASH, u64, u64, 10240);
MAP(totals, HASH, u64, u64, 10240);

/* Adds to a value that another processor may change at the same time. */
static __always_inline bool add(void *map, u64 *key, u64 change) {
  u64 *value = bpf_map_lookup_elem(map, key);
  if (!value) {
    if (!bpf_map_update_elem(map, key, &change, BPF_NOEXIST)) return true;
    value = bpf_map_lookup_elem(map, key);
  }
  if (!value) return false;
  __sync_fetch_and_add(value, change);
  return true;
}

SEC("raw_tp/softirq_entry") int entry(struct bpf_raw_tracepoint_args *c) {
  struct place place = { bpf_get_smp_processor_id(), (u32)c->args[0] };
  u64 now = bpf_ktime_get_ns();
  if (bpf_map_update_elem(&entered, &place, &now, BPF_ANY)) FAIL(1);
  return 0;
}

SEC("raw_tp/softirq_exit") int leave(struct bpf_raw_tracepoint_args *c) {
  u64 vec = (u32)c->args[0];
  struct place place = { bpf_get_smp_processor_id(), vec };
  u64 *found = bpf_map_lookup_elem(&entered, &place);
  if (!found) return 0;
  u64 since = *found;
  bpf_map_delete_elem(&entered, &place);
  if (!add(&counts, &vec, 1)) FAIL(2);
  if (!add(&totals, &vec, bpf_ktime_get_ns() - since)) FAIL(3);
  return 0;
}
