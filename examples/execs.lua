#!/usr/bin/env moontrace
-- Every program that is started: the kernel half in C, and no user half at all. Try it with --format json.
local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct event { u32 pid; char comm[16]; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");

SEC("tracepoint/sched/sched_process_exec")
int on_exec(void *context) {
  struct event *e = bpf_ringbuf_reserve(&events, sizeof *e, 0);
  if (!e) return 0;
  e->pid = bpf_get_current_pid_tgid() >> 32;
  bpf_get_current_comm(e->comm, sizeof e->comm);
  bpf_ringbuf_submit(e, 0);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
]]
o:attach()
