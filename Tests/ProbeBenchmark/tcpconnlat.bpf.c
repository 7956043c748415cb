#include "probe.h"

struct attempt { s64 pid; char comm[16]; s64 at; };
struct event {
  s64 type, pid;
  char comm[16];
  struct address saddr;
  s64 sport;
  struct address daddr;
  s64 dport, connected, us;
};
MAP(started, LRU_HASH, u64, struct attempt, 10240);

static __always_inline int begin(u64 socket) {
  struct attempt attempt = { .pid = bpf_get_current_pid_tgid() >> 32 };
  bpf_get_current_comm(attempt.comm, sizeof attempt.comm);
  attempt.at = bpf_ktime_get_ns();
  if (bpf_map_update_elem(&started, &socket, &attempt, BPF_ANY)) FAIL(1);
  return 0;
}

SEC("tracepoint/sock/inet_sock_set_state") int on_state(struct trace_event_raw_inet_sock_set_state *c) {
  if (c->protocol != IPPROTO_TCP) return 0;
  u64 socket = (u64)c->skaddr;
  if (c->newstate == TCP_SYN_SENT) return begin(socket);
  if (c->oldstate != TCP_SYN_SENT) return 0;
  struct attempt *found = bpf_map_lookup_elem(&started, &socket);
  if (!found) return 0;
  struct event e = { .pid = found->pid, .us = (bpf_ktime_get_ns() - found->at) / 1000 };
  __builtin_memcpy(e.comm, found->comm, sizeof e.comm);
  bpf_map_delete_elem(&started, &socket);
  ADDRESS(e.saddr, c->family, c->saddr, c->saddr_v6);
  e.sport = c->sport;
  ADDRESS(e.daddr, c->family, c->daddr, c->daddr_v6);
  e.dport = c->dport;
  e.connected = c->newstate == TCP_ESTABLISHED;
  SEND(e);
  return 0;
}
