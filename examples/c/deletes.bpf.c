// Files that are deleted: a kprobe at a function of the kernel, with its arguments, and a kretprobe at its return.
// Needs a kernel with kprobes (`moontrace doctor` says); functions of the kernel may change with its version.
//
//   moontrace run examples/c/deletes.bpf.c
//   moontrace run examples/c/deletes.bpf.c -p 812         by process 812
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct event {
  u32 pid;
  int result;  // 0, or the error's number below 0
  char comm[16];
  char path[256];
};

/// only this process
/// @cmdarg {"short": "p"}
const volatile pid_t pid = 0;

// What a thread is deleting: the function frees the name, so the event is filled in at its begin.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, u32);
  __type(value, struct event);
} started SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} events SEC(".maps");

SEC("kprobe/do_unlinkat")
int BPF_KPROBE(on_unlink, int directory, struct filename *name) {
  u64 id = bpf_get_current_pid_tgid();
  u32 thread = id;
  struct event event = {.pid = id >> 32};
  if (pid && pid != event.pid) return 0;
  bpf_get_current_comm(event.comm, sizeof(event.comm));
  // Memory of the kernel behind a kprobe's pointers is read by helpers; this one finds the member on any kernel.
  bpf_probe_read_kernel_str(event.path, sizeof(event.path), BPF_CORE_READ(name, name));
  bpf_map_update_elem(&started, &thread, &event, BPF_ANY);
  return 0;
}

SEC("kretprobe/do_unlinkat")
int BPF_KRETPROBE(on_return, int result) {
  u32 thread = bpf_get_current_pid_tgid();
  struct event *event = bpf_map_lookup_elem(&started, &thread);
  if (!event) return 0;
  event->result = result;
  bpf_ringbuf_output(&events, event, sizeof(*event), 0);
  bpf_map_delete_elem(&started, &thread);
  return 0;
}

/// @brief Show files that are deleted.
char LICENSE[] SEC("license") = "GPL";
