// Where the processes of a cgroup (a container, a systemd service) connect to; with --deny not to that port: a
// cgroup program, which decides for that cgroup alone and must be allowed.
//
//   moontrace run --allow kernel.write --attach on_connect=cgroup:/sys/fs/cgroup/system.slice examples/c/connects.bpf.c
//   moontrace run --allow kernel.write --attach on_connect=cgroup:/sys/fs/cgroup/x examples/c/connects.bpf.c --deny 25
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct event {
  u32 pid;
  char comm[16];
  u8 address[4];
  u16 port;
  bool allowed;
};

/// the port that may not be connected to (connect gives EPERM)
const volatile u16 deny = 0;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} events SEC(".maps");

SEC("cgroup/connect4")
int on_connect(struct bpf_sock_addr *ctx) {
  u32 address = ctx->user_ip4;
  u16 port = bpf_ntohs(ctx->user_port);
  bool allowed = !deny || port != deny;
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return allowed;
  event->pid = bpf_get_current_pid_tgid() >> 32;
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  __builtin_memcpy(event->address, &address, sizeof(address));
  event->port = port;
  event->allowed = allowed;
  bpf_ringbuf_submit(event, 0);
  return allowed;
}

/// @brief Show, or deny, where a cgroup's processes connect to.
char LICENSE[] SEC("license") = "GPL";
