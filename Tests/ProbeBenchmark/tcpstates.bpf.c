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

SEC("raw_tp/inet_sock_set_state") int on_state(struct bpf_raw_tracepoint_args *c) {
  struct sock *sk = ARG(c, struct sock *, 0);
  u16 protocol, family, lport, rport;
  if (bpf_probe_read_kernel(&protocol, sizeof protocol, &sk->sk_protocol) || protocol != IPPROTO_TCP) return 0;
  u64 now = bpf_ktime_get_ns(), socket = (u64)sk;
  u64 *before = bpf_map_lookup_elem(&since, &socket);
  struct event e = { .us = before ? (now - *before) / 1000 : 0 };
  if (ARG(c, int, 2) == TCP_CLOSE) bpf_map_delete_elem(&since, &socket);
  else if (bpf_map_update_elem(&since, &socket, &now, BPF_ANY)) FAIL(1);
  READ(lport, &((struct inet_sock *)sk)->inet_sport, 2);
  e.lport = machine_port(lport);
  READ(rport, &sk->__sk_common.skc_dport, 2);
  e.rport = machine_port(rport);
  bool v4 = bpf_probe_read_kernel(&family, sizeof family, &sk->__sk_common.skc_family) == 0 && family == AF_INET;
  e.pid = bpf_get_current_pid_tgid() >> 32;
  bpf_get_current_comm(e.comm, sizeof e.comm);
  ADDRESS(e.laddr, v4, &sk->__sk_common.skc_rcv_saddr, &sk->__sk_common.skc_v6_rcv_saddr, 3);
  ADDRESS(e.raddr, v4, &sk->__sk_common.skc_daddr, &sk->__sk_common.skc_v6_daddr, 4);
  e.old = ARG(c, int, 1);
  e.new = ARG(c, int, 2);
  SEND(e);
  return 0;
}
