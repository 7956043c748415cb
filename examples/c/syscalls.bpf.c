// Who makes how many system calls: a raw tracepoint, the cheapest place that sees them all, and a map that is shown
// as a table each second. The numbers of calls are those of `ausyscall --dump`, or <asm/unistd_64.h>.
//
//   moontrace run examples/c/syscalls.bpf.c               calls of each process, second by second
//   moontrace run examples/c/syscalls.bpf.c --number 257  only openat
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct caller {
  u32 pid;
  char comm[16];
};

/// only this system call; -1 for all
/// @cmdarg {"short": "n"}
const volatile long number = -1;

// Each CPU counts for itself; Moontrace adds up.
/// @sample {"interval": 1000, "type": "default_kv", "clear_map": true}
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 10240);
  __type(key, struct caller);
  __type(value, u64);
} calls SEC(".maps");

SEC("raw_tp/sys_enter")
int on_call(struct bpf_raw_tracepoint_args *ctx) {
  if (number >= 0 && ctx->args[1] != number) return 0;
  struct caller caller = {.pid = bpf_get_current_pid_tgid() >> 32};
  bpf_get_current_comm(caller.comm, sizeof(caller.comm));
  u64 one = 1, *count = bpf_map_lookup_elem(&calls, &caller);
  if (count)
    ++*count;
  else
    bpf_map_update_elem(&calls, &caller, &one, BPF_ANY);
  return 0;
}

/// @brief Count system calls by process.
char LICENSE[] SEC("license") = "GPL";
