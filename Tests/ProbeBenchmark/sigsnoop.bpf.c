#include "probe.h"

struct event { s64 type, pid; char comm[16]; s64 sig, tpid; char tcomm[24]; s64 result; };

SEC("tracepoint/signal/signal_generate") int on_signal(struct trace_event_raw_signal_generate *c) {
  struct event e = { .pid = bpf_get_current_pid_tgid() >> 32, .sig = c->sig, .tpid = c->pid, .result = c->result };
  bpf_get_current_comm(e.comm, sizeof e.comm);
  __builtin_memcpy(e.tcomm, c->comm, 16);
  SEND(e);
  return 0;
}
