#include "probe.h"

struct attempt { s64 sig, tpid; };
struct event { s64 type, pid; char comm[16]; s64 sig, tpid, ret; };
MAP(sent, LRU_HASH, u64, struct attempt, 10240);

static __always_inline int enter(long target, long sig) {
  u64 tid = (u32)bpf_get_current_pid_tgid();
  struct attempt attempt = { (int)sig, (int)target };
  if (bpf_map_update_elem(&sent, &tid, &attempt, BPF_ANY)) FAIL(1);
  return 0;
}

static __always_inline int leave(long ret) {
  u64 id = bpf_get_current_pid_tgid(), tid = (u32)id;
  struct attempt *found = bpf_map_lookup_elem(&sent, &tid);
  if (!found) return 0;
  struct event e = { .pid = id >> 32, .sig = found->sig, .tpid = found->tpid, .ret = ret };
  bpf_map_delete_elem(&sent, &tid);
  bpf_get_current_comm(e.comm, sizeof e.comm);
  SEND(e);
  return 0;
}

#define ON(call, target, sig) \
  SEC("tracepoint/syscalls/sys_enter_" #call) int enter_##call(struct trace_event_raw_sys_enter *c) { \
    return enter(c->args[target], c->args[sig]); \
  } \
  SEC("tracepoint/syscalls/sys_exit_" #call) int exit_##call(struct trace_event_raw_sys_exit *c) { return leave(c->ret); }
ON(kill, 0, 1)
ON(tkill, 0, 1)
ON(tgkill, 1, 2)
