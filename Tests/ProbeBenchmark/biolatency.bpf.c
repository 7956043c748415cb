#include "probe.h"

MAP(started, HASH, u64, u64, 65536);
MAP(latency, PERCPU_ARRAY, u32, u64, 66);

SEC("raw_tp/block_rq_issue") int issue(struct bpf_raw_tracepoint_args *c) {
  u64 rq = c->args[0], *before = bpf_map_lookup_elem(&started, &rq);
  u64 at = before ? *before : bpf_ktime_get_ns();
  if (bpf_map_update_elem(&started, &rq, &at, BPF_ANY)) FAIL(1);
  return 0;
}

SEC("raw_tp/block_rq_complete") int complete(struct bpf_raw_tracepoint_args *c) {
  u64 rq = c->args[0], *found = bpf_map_lookup_elem(&started, &rq);
  if (!found) return 0;
  u64 since = *found;
  bpf_map_delete_elem(&started, &rq);
  u32 slot = bucket((bpf_ktime_get_ns() - since) / 1000);
  u64 *count = bpf_map_lookup_elem(&latency, &slot);
  if (count) __sync_fetch_and_add(count, 1);
  return 0;
}
