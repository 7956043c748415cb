recipe {
  name = "opensnoop",
  summary = "Trace file opens and their result",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "failed", short = "x", type = "boolean", help = "show only failed opens" },
    { name = "name", short = "n", type = "string", help = "trace only processes of this name" },
  },
  examples = {
    [[
moontrace run -c 'cat /etc/hostname /etc/nothing' opensnoop -n cat
     PID COMM                  RET ERROR        MODE     PATH
   14145 cat                     3 OK           O_RDONLY /lib/x86_64-linux-gnu/libc.so.6
   14145 cat                    -2 ENOENT       O_RDONLY /usr/lib/locale/locale-archive
   14145 cat                     3 OK           O_RDONLY /etc/hostname
   14145 cat                    -2 ENOENT       O_RDONLY /etc/nothing]],
    "moontrace run --format json opensnoop -x",
  },
}

local o = bpf.compile [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

const volatile int target_pid;
const volatile bool failed_only;
const volatile char target_comm[16];

/* What open(2) fails with: enums print by name. In the kernel these are macros, so vmlinux.h has none of them. */
enum error {
  OK, EPERM = 1, ENOENT = 2, EINTR = 4, EIO = 5, ENXIO = 6, ENOMEM = 12, EACCES = 13, EFAULT = 14, EBUSY = 16,
  EEXIST = 17, EXDEV = 18, ENODEV = 19, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENFILE = 23, EMFILE = 24,
  ETXTBSY = 26, EFBIG = 27, ENOSPC = 28, EROFS = 30, ENAMETOOLONG = 36, ELOOP = 40, EOVERFLOW = 75, EOPNOTSUPP = 95,
};
enum mode { O_RDONLY, O_WRONLY, O_RDWR };

/* `ret` is the descriptor, or the negative error. Sent only as far as the path goes. */
struct event { int pid; char comm[16]; int ret; enum error error; enum mode mode; char path[4096]; };
struct attempt { const char *path; u64 flags; };

struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, struct event);
} scratch SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 32768); __type(key, u32); __type(value, struct attempt);
} attempts SEC(".maps");

static int enter(const char *path, u64 flags) {
  u64 id = bpf_get_current_pid_tgid();
  u32 tid = id;
  struct attempt attempt = { path, flags };
  if (!target_pid || target_pid == id >> 32) bpf_map_update_elem(&attempts, &tid, &attempt, BPF_ANY);
  return 0;
}

static __always_inline int leave(long ret) {
  u32 tid = bpf_get_current_pid_tgid(), zero = 0;
  struct attempt *found = bpf_map_lookup_elem(&attempts, &tid);
  struct event *e = bpf_map_lookup_elem(&scratch, &zero);
  if (!found || !e) return 0;
  struct attempt attempt = *found;
  bpf_map_delete_elem(&attempts, &tid);
  bpf_get_current_comm(e->comm, sizeof e->comm);
  if (failed_only && ret >= 0) return 0;
  if (target_comm[0] && bpf_strncmp(e->comm, sizeof e->comm, (const char *)target_comm)) return 0;
  e->pid = bpf_get_current_pid_tgid() >> 32;
  e->ret = ret;
  e->error = ret < 0 ? -ret : OK;
  e->mode = attempt.flags & 3;
  long size = bpf_probe_read_user_str(e->path, sizeof e->path, attempt.path);
  if (size < 1) e->path[0] = 0, size = 1; /* no such memory */
  bpf_ringbuf_output(&events, e, __builtin_offsetof(struct event, path) + size, 0);
  return 0;
}

static u64 how_flags(struct open_how *how) {
  u64 flags = 0;
  bpf_probe_read_user(&flags, sizeof flags, &how->flags);
  return flags;
}
#define ON(call, path, flags) \
  SEC("tracepoint/syscalls/sys_enter_" #call) int enter_##call(struct trace_event_raw_sys_enter *c) \
  { return enter((void *)c->args[path], flags); } \
  SEC("tracepoint/syscalls/sys_exit_" #call) int exit_##call(struct trace_event_raw_sys_exit *c) \
  { return leave(c->ret); }
ON(creat, 0, O_WRONLY)
ON(open, 0, c->args[1])
ON(openat, 1, c->args[2])
ON(openat2, 1, how_flags((void *)c->args[2]))
char LICENSE[] SEC("license") = "GPL";
]]

o.globals.target_pid = opt.pid or 0
o.globals.failed_only = opt.failed
o.globals.target_comm = (opt.name or ""):sub(1, 15) -- as the kernel cuts names
o:attach()
