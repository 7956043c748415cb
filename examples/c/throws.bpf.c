// Exceptions that C++ programs throw, by type: a USDT probe, a place in a library that its authors have marked and
// named. `moontrace list 'usdt:libstdc++:*'` shows the others, and USDT probes of other programs likewise. Names of
// types are as the compiler writes them: `St13runtime_error` is std::runtime_error (`c++filt -t` tells).
//
//   moontrace run examples/c/throws.bpf.c                 all processes
//   moontrace run examples/c/throws.bpf.c -p 812
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

struct event {
  u32 pid;
  char comm[16];
  char type[96];
};

/// only this process
/// @cmdarg {"short": "p"}
const volatile pid_t pid = 0;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} events SEC(".maps");

// How std::type_info begins.
struct type_info {
  void *table;
  const char *name;
};

SEC("usdt/libstdc++:libstdcxx:throw")
int BPF_USDT(on_throw, void *object, struct type_info *type) {
  struct type_info info = {};
  u32 process = bpf_get_current_pid_tgid() >> 32;
  if (pid && pid != process) return 0;
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  event->pid = process;
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  bpf_probe_read_user(&info, sizeof(info), type);
  bpf_probe_read_user_str(event->type, sizeof(event->type), info.name);
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/// @brief Show exceptions of C++.
char LICENSE[] SEC("license") = "GPL";
