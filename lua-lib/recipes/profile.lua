recipe {
  name = "profile",
  summary = "Sample stacks on all CPUs and print them folded, ready for flamegraph.pl",
  version = "1.0.0",
  category = "cpu",
  options = {
    { name = "pid", short = "p", type = "integer", help = "sample only this process" },
    { name = "frequency", short = "F", type = "integer", default = 99, help = "samples per second and CPU" },
    { name = "user", short = "U", type = "boolean", help = "user stacks only" },
    { name = "kernel", short = "K", type = "boolean", help = "kernel stacks only" },
  },
  examples = {
    [[
moontrace run -d 10 profile -p 1840 > out.folded && flamegraph.pl out.folded > out.svg
nginx;main;ngx_worker_process_cycle;ngx_process_events_and_timers;epoll_wait;do_syscall_64;do_epoll_wait 14
nginx;main;ngx_worker_process_cycle;ngx_http_process_request 3]],
    "moontrace run -d 5 profile -K -F 499",
  },
}

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define MAX_DEPTH 127

const volatile int target_pid;
const volatile bool with_user = true;
const volatile bool with_kernel = true;

/* The addresses travel themselves: a stack map would drop the stacks whose hashes collide. */
struct event {
  int pid;
  char comm[16];
  int user_depth; /* 0 when there is no such stack */
  int kernel_depth;
  u64 user[MAX_DEPTH]; /* innermost first */
  u64 kernel[MAX_DEPTH];
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 8 << 20); __type(value, struct event);
} events SEC(".maps");

static int depth(long bytes) { return bytes > 0 ? bytes / sizeof(u64) : 0; }

SEC("perf_event")
int on_sample(void *context) {
  u32 pid = bpf_get_current_pid_tgid() >> 32;
  if (!pid || (target_pid && target_pid != pid)) return 0; /* 0 is the idle task */
  struct event *e = bpf_ringbuf_reserve(&events, sizeof *e, 0);
  if (!e) return 0;
  e->pid = pid;
  bpf_get_current_comm(e->comm, sizeof e->comm);
  e->user_depth = with_user ? depth(bpf_get_stack(context, e->user, sizeof e->user, BPF_F_USER_STACK)) : 0;
  e->kernel_depth = with_kernel ? depth(bpf_get_stack(context, e->kernel, sizeof e->kernel, 0)) : 0;
  bpf_ringbuf_submit(e, 0);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
]]

o.globals.target_pid = opt.pid or 0
o.globals.with_user = not opt.kernel or opt.user
o.globals.with_kernel = not opt.user or opt.kernel

-- Named while the process lives, since afterwards nothing tells which files its addresses belong to.
local counts = {}
o.maps.events:each(function(e)
  local frames = { (e.comm:gsub(";", ":")) }
  local pid, user, kernel = e.pid, e.user, e.kernel
  for i = e.user_depth, 1, -1 do frames[#frames + 1] = usym(user[i], pid) end
  for i = e.kernel_depth, 1, -1 do frames[#frames + 1] = ksym(kernel[i]) end
  local stack = table.concat(frames, ";")
  counts[stack] = (counts[stack] or 0) + 1
end)
o.programs.on_sample:attach("profile:" .. opt.frequency)

at_exit(function()
  local stacks = {}
  for stack in pairs(counts) do stacks[#stacks + 1] = stack end
  table.sort(stacks)
  for _, stack in ipairs(stacks) do
    if output_format == "json" or output_format == "csv" then
      emit({ stack = stack, count = counts[stack] }, { "stack", "count" })
    else
      print(stack .. " " .. counts[stack])
    end
  end
end)
