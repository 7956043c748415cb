// Programs that are started: the kernel half. The comments with /// are annotations: they tell users and tools what the
// globals, maps and programs are for.
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/// @export
struct event {
  u32 pid;
  u32 ppid;
  char comm[16];
  char file[256];
};

/// @description only programs of this name
/// @cmdarg {"short": "n"}
const volatile char name[16] = "";

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __type(value, struct event);
} events SEC(".maps");

static __always_inline bool is_wanted(const char *comm) {
  if (!name[0]) return true;
  for (int i = 0; i < sizeof(name); i++) {
    if (comm[i] != name[i]) return false;
    if (!comm[i]) return true;
  }
  return true;
}

SEC("tracepoint/sched/sched_process_exec")
int on_exec(struct trace_event_raw_sched_process_exec *context) {
  char comm[16];
  bpf_get_current_comm(comm, sizeof(comm));
  if (!is_wanted(comm)) return 0;

  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  struct task_struct *task = (void *)bpf_get_current_task();
  event->pid = bpf_get_current_pid_tgid() >> 32;
  event->ppid = BPF_CORE_READ(task, real_parent, tgid);
  __builtin_memcpy(event->comm, comm, sizeof(comm));
  // The low half of a __data_loc member is where in the record the text begins.
  u32 offset = context->__data_loc_filename & 0xffff;
  bpf_probe_read_kernel_str(event->file, sizeof(event->file), (void *)context + offset);
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/// @brief Trace programs that are started.
/// @version 0.1.0
char LICENSE[] SEC("license") = "GPL";
