#include "probe.h"

/* The path is nil where its memory can't be read; it fills 4095 bytes at most. */
struct event { s64 type, pid; char comm[16]; char call[16]; s64 ret, has_path; char path[4096]; };
MAP(started, HASH, u64, u64, 32768);
MAP(scratch, PERCPU_ARRAY, u32, struct event, 1);

static __always_inline int enter(u64 path) {
  u64 tid = (u32)bpf_get_current_pid_tgid();
  if (bpf_map_update_elem(&started, &tid, &path, BPF_ANY)) FAIL(1);
  return 0;
}

static __always_inline int leave(const char call[16], long ret) {
  u32 zero = 0;
  u64 id = bpf_get_current_pid_tgid(), tid = (u32)id;
  u64 *found = bpf_map_lookup_elem(&started, &tid);
  if (!found || !*found) return 0;
  const void *path = (void *)*found;
  bpf_map_delete_elem(&started, &tid);
  struct event *e = bpf_map_lookup_elem(&scratch, &zero);
  if (!e) return 0;
  e->has_path = bpf_probe_read_user_str(e->path, sizeof e->path, path) >= 0;
  if (e->has_path && !e->path[0]) return 0;
  e->type = 0;
  e->pid = id >> 32;
  bpf_get_current_comm(e->comm, sizeof e->comm);
  __builtin_memcpy(e->call, call, sizeof e->call);
  e->ret = ret;
  SEND(*e);
  return 0;
}

#define ON(call, path) \
  SEC("tracepoint/syscalls/sys_enter_" #call) int enter_##call(struct trace_event_raw_sys_enter *c) { \
    return enter(c->args[path]); \
  } \
  SEC("tracepoint/syscalls/sys_exit_" #call) int exit_##call(struct trace_event_raw_sys_exit *c) { \
    const char name[16] = #call; \
    return leave(name, c->ret); \
  }
ON(newstat, 0)
ON(newlstat, 0)
ON(newfstatat, 1)
ON(statx, 1)
ON(statfs, 0)
