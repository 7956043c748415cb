recipe {
  name = "execsnoop",
  summary = "Trace new programs with their arguments",
  version = "1.0.0",
  category = "processes",
  options = {
    { name = "failed", short = "x", type = "boolean", help = "show failed attempts too" },
    { name = "parent", short = "P", type = "integer", help = "trace only children of this process" },
    { name = "uid", short = "u", type = "integer", help = "trace only this user" },
  },
  examples = {
    [[
moontrace execsnoop
    PID    PPID    UID COMM             RET ARGS
   4031    1622   1000 ls                 0 ls --color=auto
   4032    1622   1000 git                0 /usr/bin/git status --short]],
    "moontrace execsnoop -x -u 1000",
  },
}

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define MAX_ARGS 20
#define ARG_SIZE 128
#define ARGS_SIZE 1024

const volatile bool failed_too;
const volatile int target_ppid;
const volatile s64 target_uid = -1;

struct event { int pid; int ppid; u32 uid; char comm[16]; int ret; char args[ARGS_SIZE]; };
struct attempt { char args[ARGS_SIZE + ARG_SIZE]; };

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 8 << 20); __type(value, struct event);
} events SEC(".maps");
/* By task: a thread that executes a program takes its process's id on the way, but stays the same task. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH); __uint(map_flags, BPF_F_NO_PREALLOC); __uint(max_entries, 10240);
  __type(key, u64); __type(value, struct attempt);
} attempts SEC(".maps");
static const struct attempt nothing;

static int enter(const char *const *argv) {
  u64 task = bpf_get_current_task();
  if (target_uid >= 0 && (u32)bpf_get_current_uid_gid() != target_uid) return 0;
  bpf_map_update_elem(&attempts, &task, &nothing, BPF_ANY);
  struct attempt *attempt = bpf_map_lookup_elem(&attempts, &task);
  if (!attempt) return 0;
  u32 end = 0;
  for (int i = 0; i < MAX_ARGS && end < ARGS_SIZE; i++) {
    const char *arg = 0;
    if (bpf_probe_read_user(&arg, sizeof arg, &argv[i]) || !arg) break;
    if (i && end) attempt->args[end - 1] = ' ';
    long size = bpf_probe_read_user_str(&attempt->args[end], ARG_SIZE, arg);
    if (size > 0 && size <= ARG_SIZE) end += size;
  }
  return 0;
}

static int leave(int ret) {
  u64 task = bpf_get_current_task();
  struct attempt *attempt = bpf_map_lookup_elem(&attempts, &task);
  int ppid = BPF_CORE_READ((struct task_struct *)task, real_parent, tgid);
  if (!attempt) return 0;
  struct event *e = 0;
  if ((!ret || failed_too) && (!target_ppid || ppid == target_ppid)) e = bpf_ringbuf_reserve(&events, sizeof *e, 0);
  if (e) {
    e->pid = bpf_get_current_pid_tgid() >> 32;
    e->ppid = ppid;
    e->uid = bpf_get_current_uid_gid();
    bpf_get_current_comm(e->comm, sizeof e->comm);
    e->ret = ret;
    bpf_probe_read_kernel_str(e->args, sizeof e->args, attempt->args);
    bpf_ringbuf_submit(e, 0);
  }
  bpf_map_delete_elem(&attempts, &task);
  return 0;
}

#define ON(call, argv) \
  SEC("tracepoint/syscalls/sys_enter_" #call) int enter_##call(struct trace_event_raw_sys_enter *c) \
  { return enter((void *)c->args[argv]); } \
  SEC("tracepoint/syscalls/sys_exit_" #call) int exit_##call(struct trace_event_raw_sys_exit *c) \
  { return leave(c->ret); }
ON(execve, 1)
ON(execveat, 2)
char LICENSE[] SEC("license") = "GPL";
]]

o.globals.failed_too = opt.failed
o.globals.target_ppid = opt.parent or 0
o.globals.target_uid = opt.uid or -1
o:attach()
