recipe {
  name = "execsnoop",
  summary = "Trace new programs with their arguments",
  version = "1.0.0",
  category = "processes",
  options = {
    { name = "failed", short = "x", type = "boolean", help = "show failed attempts too" },
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "parent", short = "P", type = "integer", help = "trace only children of this process" },
    { name = "uid", short = "u", type = "integer", help = "trace only this user" },
  },
  examples = {
    [[
moontrace execsnoop -x
     PID     PPID      UID COMM                  RET ARGS
   14151    14150        0 make                    0 make --version
   14152    14150        0 git                     0 git status --short
   14153    14150        0 sh                      0 sh -c exec /usr/bin/nothing
   14153    14150        0 sh                     -2 /usr/bin/nothing]],
    "moontrace execsnoop -x -u 1000",
  },
}

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define MAX_ARGS 32 /* of a failed attempt */
#define ARG_SIZE 512
#define ARGS_SIZE 4096

const volatile bool failed_too;
const volatile int target_pid;
const volatile int target_ppid;
const volatile s64 target_uid = -1;

/* Sent only as far as the arguments go. */
struct event { int pid; int ppid; u32 uid; char comm[16]; int ret; char args[ARGS_SIZE]; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, struct event);
} scratch SEC(".maps");

/* What the new program got: its arguments lie one after the other, each with its NUL. */
static u32 read_new(struct event *e, struct mm_struct *mm) {
  u64 start = mm->arg_start, size = mm->arg_end - start;
  if (size > ARGS_SIZE) size = ARGS_SIZE;
  return bpf_probe_read_user(e->args, size, (void *)start) ? 0 : size;
}

/* What a failed attempt gave; its memory is still the caller's. */
static u32 read_given(struct event *e, const char *const *argv) {
  u32 end = 0;
  for (int i = 0; i < MAX_ARGS; i++) {
    const char *arg = 0;
    barrier_var(end); /* tested in the register that is used: the verifier of 6.1 forgets bounds otherwise */
    if (end > ARGS_SIZE - ARG_SIZE) break;
    if (bpf_probe_read_user(&arg, sizeof arg, &argv[i]) || !arg) break;
    long size = bpf_probe_read_user_str(&e->args[end], ARG_SIZE, arg);
    if (size > 0 && size <= ARG_SIZE) end += size;
  }
  return end;
}

static long blank(u32 i, struct event **e) {
  if (i < ARGS_SIZE && !(*e)->args[i]) (*e)->args[i] = ' ';
  return 0;
}

static __always_inline int leave(int ret, bool at) {
  u32 zero = 0, uid = bpf_get_current_uid_gid();
  struct task_struct *task = bpf_get_current_task_btf();
  struct event *e = bpf_map_lookup_elem(&scratch, &zero);
  if (!e || (ret && !failed_too) || (target_uid >= 0 && uid != target_uid)) return 0;
  e->pid = task->tgid;
  e->ppid = task->real_parent->tgid;
  if ((target_pid && e->pid != target_pid) || (target_ppid && e->ppid != target_ppid)) return 0;
  e->uid = uid;
  e->ret = ret;
  bpf_get_current_comm(e->comm, sizeof e->comm);
  struct pt_regs *regs = (void *)bpf_task_pt_regs(task);
  u32 size = ret ? read_given(e, (void *)(at ? regs->dx : regs->si)) : read_new(e, task->mm);
  u32 last = size - 1; /* wraps around when there is no such memory, or no arguments */
  if (size) bpf_loop(last, blank, &e, 0);
  barrier_var(last); /* older verifiers must see the bound on the very value that is used */
  if (last >= ARGS_SIZE) last = 0;
  e->args[last] = 0;
  bpf_ringbuf_output(&events, e, __builtin_offsetof(struct event, args) + last + 1, 0);
  return 0;
}

SEC("tracepoint/syscalls/sys_exit_execve")
int exit_execve(struct trace_event_raw_sys_exit *c) { return leave(c->ret, false); }
SEC("tracepoint/syscalls/sys_exit_execveat")
int exit_execveat(struct trace_event_raw_sys_exit *c) { return leave(c->ret, true); }
char LICENSE[] SEC("license") = "GPL";
]]

o.globals.failed_too = opt.failed
o.globals.target_pid = opt.pid or 0
o.globals.target_ppid = opt.parent or 0
o.globals.target_uid = opt.uid or -1
o:attach()
