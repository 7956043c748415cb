// Files that are opened, by whom, and whether it worked: tracepoints at a system call's begin and end.
//
//   moontrace run examples/c/opens.bpf.c                  all, until Ctrl-C
//   moontrace run examples/c/opens.bpf.c --failed         only what could not be opened
//   moontrace run examples/c/opens.bpf.c -p 812 -f json   what process 812 opens
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct event {
  u32 pid;
  int result;  // a descriptor, or the error's number below 0
  char comm[16];
  char path[256];
};

/// only this process
/// @cmdarg {"short": "p"}
const volatile pid_t pid = 0;
/// only calls that fail
const volatile bool failed = false;

// The path that a thread is about to open: at the end of the call the kernel no longer says which it was.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10240);
  __type(key, u32);
  __type(value, const char *);
} paths SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 23);  // bytes: a busy machine opens thousands of files while nobody reads
} events SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_openat")
int on_enter(struct trace_event_raw_sys_enter *ctx) {
  u64 id = bpf_get_current_pid_tgid();
  u32 thread = id;
  if (pid && pid != id >> 32) return 0;
  const char *path = (const char *)ctx->args[1];
  bpf_map_update_elem(&paths, &thread, &path, BPF_ANY);
  return 0;
}

SEC("tracepoint/syscalls/sys_exit_openat")
int on_exit(struct trace_event_raw_sys_exit *ctx) {
  u64 id = bpf_get_current_pid_tgid();
  u32 thread = id;
  const char **path = bpf_map_lookup_elem(&paths, &thread);
  if (!path) return 0;
  if (ctx->ret < 0 || !failed) {
    struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (event) {
      event->pid = id >> 32;
      event->result = ctx->ret;
      bpf_get_current_comm(event->comm, sizeof(event->comm));
      bpf_probe_read_user_str(event->path, sizeof(event->path), *path);
      bpf_ringbuf_submit(event, 0);
    }
  }
  bpf_map_delete_elem(&paths, &thread);
  return 0;
}

/// @brief Show files that are opened.
char LICENSE[] SEC("license") = "GPL";
