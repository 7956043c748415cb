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
moontrace run -d 2 profile -p 14262 > out.folded && flamegraph.pl out.folded > out.svg
dd;__write;entry_SYSCALL_64_after_hwframe;do_syscall_64;ksys_write;vfs_write 4
dd;read;entry_SYSCALL_64_after_hwframe;do_syscall_64;ksys_read;vfs_read;read_zero 58]],
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

/* The addresses travel themselves: a stack map would drop the stacks whose hashes collide. The user's come first,
   each stack innermost first, and only as many as there are. */
struct event { int pid; char comm[16]; int user_depth; int depth; u64 stack[]; };
struct room { struct event event; u64 stack[2 * MAX_DEPTH]; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, struct room);
} scratch SEC(".maps");

SEC("perf_event")
int on_sample(void *context) {
  u32 pid = bpf_get_current_pid_tgid() >> 32, zero = 0;
  struct room *room = bpf_map_lookup_elem(&scratch, &zero);
  if (!room || !pid || (target_pid && target_pid != pid)) return 0; /* 0 is the idle task */
  struct event *e = &room->event;
  long size = MAX_DEPTH * sizeof(u64), user = 0, kernel = 0;
  if (with_user) user = bpf_get_stack(context, room->stack, size, BPF_F_USER_STACK);
  if (user < 0) user = 0; /* a kernel thread */
  if (with_kernel) kernel = bpf_get_stack(context, (void *)room->stack + user, size, 0);
  if (kernel < 0) kernel = 0; /* not in the kernel */
  e->pid = pid;
  bpf_get_current_comm(e->comm, sizeof e->comm);
  e->user_depth = user / sizeof(u64);
  e->depth = (user + kernel) / sizeof(u64);
  bpf_ringbuf_output(&events, e, sizeof *e + user + kernel, 0);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
]]

o.globals.target_pid = opt.pid or 0
o.globals.with_user = not opt.kernel or opt.user
o.globals.with_kernel = not opt.user or opt.kernel

-- Addresses without a name differ from process to process; by their file, or [unknown], their stacks add up.
local function frame(name)
  return name:find("^0x") and "[unknown]" or (name:gsub("^(.*)%+0x%x+$", "[%1]"))
end

-- Named while the process lives, since afterwards nothing tells which files its addresses belong to.
local counts = {}
o.maps.events:each(function(e)
  local frames = { (e.comm:gsub(";", ":")) }
  local pid, addresses = e.pid, e.stack
  for i = e.user_depth, 1, -1 do frames[#frames + 1] = frame(usym(addresses[i], pid)) end
  for i = e.depth, e.user_depth + 1, -1 do frames[#frames + 1] = ksym(addresses[i]) end
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
