// How long tasks that could run wait for a CPU: tracepoints with typed arguments (tp_btf), whose structs are read
// like any other pointer, and a histogram of powers of two for each program, each second.
//
//   moontrace run examples/c/runqlat.bpf.c
//   moontrace run -d 10 examples/c/runqlat.bpf.c -p 812   ten seconds of process 812
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define TASK_RUNNING 0

struct program {
  char comm[16];
};
// A histogram is a value with `slots`; slot n counts waits of 2^n to 2^(n+1) - 1 microseconds.
struct waits {
  u32 slots[26];
};

/// only this process
/// @cmdarg {"short": "p"}
const volatile pid_t pid = 0;

// When a thread became able to run.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10240);
  __type(key, u32);
  __type(value, u64);
} since SEC(".maps");

/// @sample {"interval": 1000, "type": "log2_hist", "unit": "us", "clear_map": true}
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, struct program);
  __type(value, struct waits);
} waits SEC(".maps");

static __always_inline int is_ready(struct task_struct *task) {
  u32 thread = task->pid;
  u64 now = bpf_ktime_get_ns();
  if (thread && (!pid || task->tgid == pid)) bpf_map_update_elem(&since, &thread, &now, BPF_ANY);
  return 0;
}

static __always_inline u32 log2_of(u64 number) {
  u32 power = 0;
  for (u32 step = 32; step; step >>= 1) {
    if (number >> step) {
      number >>= step;
      power += step;
    }
  }
  return power;
}

static __always_inline void add_wait(struct task_struct *task, u64 microseconds) {
  struct program program = {};
  struct waits none = {};
  bpf_probe_read_kernel_str(program.comm, sizeof(program.comm), task->comm);
  struct waits *counts = bpf_map_lookup_elem(&waits, &program);
  if (!counts) {
    bpf_map_update_elem(&waits, &program, &none, BPF_NOEXIST);
    counts = bpf_map_lookup_elem(&waits, &program);
  }
  u32 slot = log2_of(microseconds);
  if (counts && slot < 26) __sync_fetch_and_add(&counts->slots[slot], 1);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task) { return is_ready(task); }

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_new, struct task_struct *task) { return is_ready(task); }

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempted, struct task_struct *previous, struct task_struct *next) {
  // Who lost the CPU but wants to go on waits from now.
  if (preempted || previous->__state == TASK_RUNNING) is_ready(previous);
  u32 thread = next->pid;
  u64 *ready = bpf_map_lookup_elem(&since, &thread);
  if (!ready) return 0;
  add_wait(next, (bpf_ktime_get_ns() - *ready) / 1000);
  bpf_map_delete_elem(&since, &thread);
  return 0;
}

/// @brief Show how long tasks wait for a CPU.
char LICENSE[] SEC("license") = "GPL";
