#include "probe.h"

struct request_start { u64 at, pid; char comm[16]; };
struct event {
  s64 type, time_ms;
  char comm[16];
  s64 pid, has_disk;
  char disk[40];
  char kind[8];
  s64 has_sector, sector, bytes, que_us, lat_us;
};
MAP(started, HASH, u64, struct request_start, 65536);
MAP(issued, HASH, u64, u64, 65536);
const volatile u64 begin = 1; /* of the trace */

static __always_inline int start(u64 rq) {
  if (bpf_map_lookup_elem(&started, &rq)) return 0;
  struct request_start s = { bpf_ktime_get_ns(), bpf_get_current_pid_tgid() >> 32 };
  bpf_get_current_comm(s.comm, sizeof s.comm);
  return bpf_map_update_elem(&started, &rq, &s, BPF_ANY) ? -1 : 0;
}

SEC("raw_tp/block_io_start") int io_start(struct bpf_raw_tracepoint_args *c) {
  if (start(c->args[0])) FAIL(1);
  return 0;
}

SEC("raw_tp/block_rq_issue") int issue(struct bpf_raw_tracepoint_args *c) {
  u64 rq = c->args[0];
  if (start(rq)) FAIL(1);
  u64 now = bpf_ktime_get_ns();
  if (bpf_map_update_elem(&issued, &rq, &now, BPF_ANY)) FAIL(2);
  return 0;
}

static __always_inline char letter(u32 operation) {
  switch (operation) {
    case 0: return 'R';
    case 1: return 'W';
    case 2: return 'F';
    case 3: return 'D';
    default: return '?';
  }
}

/* The name of a request's disk; false where it can't be read. */
static __always_inline bool read_disk(struct request *rq, char name[40]) {
  struct request_queue *queue;
  struct gendisk *disk;
  bpf_probe_read_kernel(&queue, sizeof queue, &rq->q); /* what can't be read is NULL, which can't be read */
  bpf_probe_read_kernel(&disk, sizeof disk, &queue->disk);
  return bpf_probe_read_kernel_str(name, 33, disk->disk_name) >= 0;
}

SEC("raw_tp/block_rq_complete") int complete(struct bpf_raw_tracepoint_args *c) {
  u64 key = c->args[0];
  struct request *rq = (void *)key;
  struct request_start *s = bpf_map_lookup_elem(&started, &key), from = {};
  u64 *at = bpf_map_lookup_elem(&issued, &key), issued_at = 0;
  if (s) from = *s;
  if (at) issued_at = *at;
  bpf_map_delete_elem(&issued, &key);
  bpf_map_delete_elem(&started, &key);
  if (!s || !at) return 0;
  struct event e = { .pid = from.pid };
  __builtin_memcpy(e.comm, from.comm, sizeof e.comm);
  e.has_disk = read_disk(rq, e.disk);
  e.time_ms = (bpf_ktime_get_ns() - begin) / 1000000;
  u32 flags;
  if (bpf_probe_read_kernel(&flags, sizeof flags, &rq->cmd_flags)) FAIL(3);
  e.kind[0] = letter(flags & 0xff);
  e.has_sector = bpf_probe_read_kernel(&e.sector, sizeof e.sector, &rq->__sector) == 0;
  e.bytes = (u32)c->args[2];
  e.que_us = (issued_at - from.at) / 1000;
  e.lat_us = (bpf_ktime_get_ns() - issued_at) / 1000;
  SEND(e);
  return 0;
}
