// The files that processes hold open now: an iterator. It runs once for each open file, what it writes is the
// output, and then it is done; nothing is traced.
//
//   moontrace run examples/c/openfiles.bpf.c              of all processes
//   moontrace run examples/c/openfiles.bpf.c -p 812       of process 812
//
// Only the head comes where there is no such process, and where the kernel keeps it from iterators, as the one of a
// sandbox may its first process.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/// only this process
/// @cmdarg {"short": "p"}
const volatile pid_t pid = 0;

static char path[256];

SEC("iter/task_file")
int on_file(struct bpf_iter__task_file *ctx) {
  struct seq_file *out = ctx->meta->seq;
  struct task_struct *task = ctx->task;
  struct file *file = ctx->file;
  // The last call has neither.
  if (!task || !file) return 0;
  if (ctx->meta->seq_num == 0) BPF_SEQ_PRINTF(out, "%7s %-15s %4s %s\n", "PID", "COMM", "FD", "PATH");
  // Threads share their files: only the first of a process is asked.
  if (task->pid != task->tgid || (pid && task->tgid != pid)) return 0;
  if (bpf_d_path((struct path *)&file->f_path, path, sizeof(path)) < 0) return 0;
  BPF_SEQ_PRINTF(out, "%7d %-15s %4d %s\n", task->tgid, task->comm, ctx->fd, path);
  return 0;
}

/// @brief List the files that are open.
char LICENSE[] SEC("license") = "GPL";
