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

SEC("raw_tp/inet_sock_set_state") int on_state(struct bpf_raw_tracepoint_args *c) {
  struct sock *sk = ARG(c, struct sock *, 0);
  u16 protocol, family, sport, dport;
  if (bpf_probe_read_kernel(&protocol, sizeof protocol, &sk->sk_protocol) || protocol != IPPROTO_TCP) return 0;
  u64 socket = (u64)sk;
  if (ARG(c, int, 2) == TCP_SYN_SENT) return begin(socket);
  if (ARG(c, int, 1) != TCP_SYN_SENT) return 0;
  struct attempt *found = bpf_map_lookup_elem(&started, &socket);
  if (!found) return 0;
  struct event e = { .pid = found->pid, .us = (bpf_ktime_get_ns() - found->at) / 1000 };
  __builtin_memcpy(e.comm, found->comm, sizeof e.comm);
  bpf_map_delete_elem(&started, &socket);
  bool v4 = bpf_probe_read_kernel(&family, sizeof family, &sk->__sk_common.skc_family) == 0 && family == AF_INET;
  ADDRESS(e.saddr, v4, &sk->__sk_common.skc_rcv_saddr, &sk->__sk_common.skc_v6_rcv_saddr, 2);
  READ(sport, &((struct inet_sock *)sk)->inet_sport, 3);
  e.sport = machine_port(sport);
  ADDRESS(e.daddr, v4, &sk->__sk_common.skc_daddr, &sk->__sk_common.skc_v6_daddr, 4);
  READ(dport, &sk->__sk_common.skc_dport, 5);
  e.dport = machine_port(dport);
  e.connected = ARG(c, int, 2) == TCP_ESTABLISHED;
  SEND(e);
  return 0;
}
