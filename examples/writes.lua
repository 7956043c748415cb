-- Bytes written by each program, counted in the kernel and read from a map each second.
recipe {
  name = "writes",
  summary = "Bytes written per program",
  options = { { name = "top", short = "t", type = "integer", default = 5, help = "programs to show" } },
}

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct program { char comm[16]; };
struct {
  __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4096);
  __type(key, struct program); __type(value, u64);
} bytes SEC(".maps");

SEC("tracepoint/syscalls/sys_exit_write")
int on_write(struct trace_event_raw_sys_exit *context) {
  struct program key = {};
  if (context->ret <= 0) return 0;
  bpf_get_current_comm(key.comm, sizeof key.comm);
  u64 none = 0;
  bpf_map_update_elem(&bytes, &key, &none, BPF_NOEXIST);
  u64 *sum = bpf_map_lookup_elem(&bytes, &key);
  if (sum) __sync_fetch_and_add(sum, context->ret);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
]]
o:attach()

local function show()
  local rows = o.maps.bytes:drain()
  table.sort(rows, function(a, b) return a[2] > b[2] end)
  for i = 1, math.min(opt.top, #rows) do emit({ bytes = rows[i][2], comm = rows[i][1].comm }, { "bytes", "comm" }) end
end
every(1, show)
at_exit(show)
