// Who sends and receives how much over TCP: fentry and fexit programs at functions of the kernel. They cost less
// than kprobes, their arguments have types, and fexit sees the arguments and the result together. Needs a kernel
// with them (`moontrace doctor` says).
//
//   moontrace run examples/c/tcptop.bpf.c
//   moontrace run -f json examples/c/tcptop.bpf.c -p 812
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct talker {
  u32 pid;
  char comm[16];
};
struct bytes {
  u64 sent, received;
};

/// only this process
/// @cmdarg {"short": "p"}
const volatile pid_t pid = 0;

/// @sample {"interval": 1000, "type": "default_kv", "clear_map": true}
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10240);
  __type(key, struct talker);
  __type(value, struct bytes);
} traffic SEC(".maps");

static __always_inline int add(u64 sent, u64 received) {
  struct talker talker = {.pid = bpf_get_current_pid_tgid() >> 32};
  struct bytes none = {};
  if (pid && pid != talker.pid) return 0;
  bpf_get_current_comm(talker.comm, sizeof(talker.comm));
  struct bytes *bytes = bpf_map_lookup_elem(&traffic, &talker);
  if (!bytes) {
    bpf_map_update_elem(&traffic, &talker, &none, BPF_NOEXIST);
    bytes = bpf_map_lookup_elem(&traffic, &talker);
    if (!bytes) return 0;
  }
  __sync_fetch_and_add(&bytes->sent, sent);
  __sync_fetch_and_add(&bytes->received, received);
  return 0;
}

SEC("fentry/tcp_sendmsg")
int BPF_PROG(on_send, struct sock *socket, struct msghdr *message, size_t size) { return add(size, 0); }

SEC("fexit/tcp_recvmsg")
int BPF_PROG(on_receive, struct sock *socket, struct msghdr *message, size_t size, int flags, int *length, int result) {
  return result > 0 ? add(0, result) : 0;
}

/// @brief Show bytes over TCP by process.
char LICENSE[] SEC("license") = "GPL";
