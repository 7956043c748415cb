#include "probe.h"

struct event {
  s64 type, pid;
  char comm[16];
  struct address laddr;
  s64 lport;
  struct address raddr;
  s64 rport, old, new, us;
};
MAP(since, LRU_HASH, u64, u64, 10240);

SEC("tracepoint/sock/inet_sock_set_state") int on_state(struct trace_event_raw_inet_sock_set_state *c) {
  if (c->protocol != IPPROTO_TCP) return 0;
  u64 now = bpf_ktime_get_ns(), socket = (u64)c->skaddr;
  u64 *before = bpf_map_lookup_elem(&since, &socket);
  struct event e = { .us = before ? (now - *before) / 1000 : 0 };
  if (c->newstate == TCP_CLOSE) bpf_map_delete_elem(&since, &socket);
  else if (bpf_map_update_elem(&since, &socket, &now, BPF_ANY)) FAIL(1);
  e.pid = bpf_get_current_pid_tgid() >> 32;
  bpf_get_current_comm(e.comm, sizeof e.comm);
  ADDRESS(e.laddr, c->family, c->saddr, c->saddr_v6);
  e.lport = c->sport;
  ADDRESS(e.raddr, c->family, c->daddr, c->daddr_v6);
  e.rport = c->dport;
  e.old = c->oldstate;
  e.new = c->newstate;
  SEND(e);
  return 0;
}
