// Where programs spend their time: a program that a clock (or a counter of the processor) starts, and records of
// stacks, which Moontrace names. The section says nothing of the clock, so a comment does, or the command line.
//
//   moontrace run examples/c/samples.bpf.c                                         49 times a second on each CPU
//   moontrace run --attach on_sample=profile:999 examples/c/samples.bpf.c
//   moontrace run --attach on_sample=hardware:cache-misses:10000 examples/c/samples.bpf.c --comm postgres
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

// The record that `stack_trace` stands for; sizes are in bytes, or an error's number below 0.
struct stack_sample {
  u32 pid, cpu_id;
  char comm[16];
  s32 kstack_sz, ustack_sz;
  u64 kstack[64], ustack[64];
};

/// only processes of this name
/// @cmdarg {"short": "c"}
const volatile char comm[16] = "";

/// @interpreter {"stack_trace": {}}
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} samples SEC(".maps");

static __always_inline bool is_wanted(const char *name) {
  for (int i = 0; comm[0] && i < 16; i++) {
    if (comm[i] != name[i]) return false;
    if (!name[i]) break;
  }
  return true;
}

/// @attach_to profile:49
SEC("perf_event")
int on_sample(struct bpf_perf_event_data *ctx) {
  char name[16];
  u32 process = bpf_get_current_pid_tgid() >> 32;
  bpf_get_current_comm(name, sizeof(name));
  // Process 0 is a CPU with nothing to do.
  if (!process || !is_wanted(name)) return 0;
  struct stack_sample *sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
  if (!sample) return 0;
  sample->pid = process;
  sample->cpu_id = bpf_get_smp_processor_id();
  __builtin_memcpy(sample->comm, name, sizeof(name));
  sample->kstack_sz = bpf_get_stack(ctx, sample->kstack, sizeof(sample->kstack), 0);
  sample->ustack_sz = bpf_get_stack(ctx, sample->ustack, sizeof(sample->ustack), BPF_F_USER_STACK);
  bpf_ringbuf_submit(sample, 0);
  return 0;
}

/// @brief Show what runs, with stacks.
char LICENSE[] SEC("license") = "GPL";
