recipe {
  name = "bashreadline",
  summary = "Trace the command lines that are entered into bash, in all sessions",
  version = "1.0.0",
  category = "shells",
  options = {
    { name = "shell", short = "s", type = "string", default = "/bin/bash",
      help = "the program or library that holds readline()" },
  },
  examples = {
    [[
moontrace bashreadline
     PID      UID COMMAND
   14256        0 ls -l
   14256        0 make test]],
    "moontrace bashreadline -s /lib/x86_64-linux-gnu/libreadline.so.8",
  },
}

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct event { int pid; u32 uid; char command[4096]; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");

SEC("uretprobe")
int BPF_KRETPROBE(on_line, const char *line) {
  if (!line) return 0; /* end of input */
  struct event *e = bpf_ringbuf_reserve(&events, sizeof *e, 0);
  if (!e) return 0;
  e->pid = bpf_get_current_pid_tgid() >> 32;
  e->uid = bpf_get_current_uid_gid();
  if (bpf_probe_read_user_str(e->command, sizeof e->command, line) < 0) e->command[0] = 0;
  bpf_ringbuf_submit(e, 0);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
]]

o.programs.on_line:attach("uretprobe:" .. opt.shell .. ":readline")
