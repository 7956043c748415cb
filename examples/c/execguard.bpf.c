// Programs that are started, and with --deny those that may not be: an LSM program, which decides what is permitted
// as SELinux and AppArmor do. Needs a kernel with lsm=bpf (`moontrace doctor` says), and must be allowed.
//
//   moontrace run --allow kernel.write examples/c/execguard.bpf.c
//   moontrace run --allow kernel.write examples/c/execguard.bpf.c --deny /usr/bin/nc
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define EPERM 1

struct event {
  u32 pid;
  bool allowed;
  char comm[16];
  char path[128];
};

/// the path that nobody may start (exec gives EPERM)
const volatile char deny[128] = "";

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} events SEC(".maps");

static __always_inline bool is_denied(const char *path) {
  for (int i = 0; i < 128; i++) {
    if (deny[i] != path[i]) return false;
    if (!path[i]) return i > 0;
  }
  return true;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(on_exec, struct linux_binprm *program, int result) {
  // What another program has decided before stays so.
  if (result) return result;
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  event->pid = bpf_get_current_pid_tgid() >> 32;
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  bpf_probe_read_kernel_str(event->path, sizeof(event->path), program->filename);
  bool denied = is_denied(event->path);
  event->allowed = !denied;
  bpf_ringbuf_submit(event, 0);
  return denied ? -EPERM : 0;
}

/// @brief Show, or deny, programs that are started.
char LICENSE[] SEC("license") = "GPL";
