/// Programs in C as libbpf's tools and eunomia-bpf's examples are written, for `moontrace build`.
enum BuildPrograms {
  static let opensnoopHeader = """
    #ifndef OPENSNOOP_H
    #define OPENSNOOP_H
    enum mode { FAST, SLOW };
    struct args_t {
      const char *fname;
      int flags;
    };
    struct event {
      unsigned long long ts;
      pid_t pid;
      int ret;
      union { int flags; unsigned int mode; };
      char comm[16];
    };
    #endif

    """

  /// A ring buffer, options in all sections, an event that is only pointed to.
  static let opensnoop = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_tracing.h>
    #include "opensnoop.h"

    #define TASK_RUNNING 0

    /// @description Process ID to trace
    const volatile pid_t pid_target = 0;
    /** Thread ID to trace
     *
     * @cmdarg {"short": "t",
     *          "long": "tid"}
     */
    const volatile pid_t tgid_target __attribute__((section(".rodata"))) = 0;
    /// @cmdarg {"default": false, "short": "f", "long": "failed"}
    /// @description trace only
    /// failed system calls
    const volatile bool targ_failed = false;
    const volatile __u64 min_us = 10, most = 0xffffffffffffffff;  ///< limits
    const volatile char name[16] = "cat";
    const volatile enum mode mode = SLOW;
    const volatile int levels[3] = {1, 2, 3};
    int offset = -4;
    unsigned long seen;
    static int hidden;

    struct {
      __uint(type, BPF_MAP_TYPE_HASH);
      __uint(max_entries, 10240);
      __type(key, u32);
      __type(value, struct args_t);
    } start SEC(".maps");

    struct {
      __uint(type, BPF_MAP_TYPE_RINGBUF);
      __uint(max_entries, 256 * 1024);
    } events SEC(".maps");

    static __always_inline bool trace_allowed(u32 tgid, u32 pid) {
      if (tgid_target && tgid_target != tgid) return false;
      if (pid_target && pid_target != pid) return false;
      return mode != FAST && name[pid & 15] && levels[pid & 1] && pid < most;
    }

    SEC("tracepoint/syscalls/sys_enter_openat")
    int tracepoint__syscalls__sys_enter_openat(struct trace_event_raw_sys_enter *ctx) {
      u64 id = bpf_get_current_pid_tgid();
      struct args_t args = {.fname = (const char *)ctx->args[1], .flags = (int)ctx->args[2]};
      if (trace_allowed(id >> 32, id)) bpf_map_update_elem(&start, &id, &args, 0);
      __sync_fetch_and_add(&seen, 1);
      return 0;
    }

    /// @link false
    SEC("tracepoint/syscalls/sys_exit_openat")
    int tracepoint__syscalls__sys_exit_openat(struct trace_event_raw_sys_exit *ctx) {
      u32 pid = bpf_get_current_pid_tgid();
      struct args_t *ap = bpf_map_lookup_elem(&start, &pid);
      if (!ap) return 0;
      struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
      if (!event) return 0;
      event->ts = bpf_ktime_get_ns() + min_us + offset + hidden++;
      event->pid = targ_failed ? -1 : pid;
      event->ret = ctx->ret;
      bpf_ringbuf_submit(event, 0);
      return 0;
    }

    /// @brief Trace open family syscalls.
    /// @version 1.0
    /// @details "Shows who opens which file."
    char LICENSE[] SEC("license") = "GPL";

    """

  /// `opensnoop`'s skeleton, numbers of types aside.
  static let opensnoopSkeleton = """
    {"bpf_skel":{"obj_name":"opensnoop_bpf","data_sections":[
    {"name":".bss","variables":[{"name":"seen","type":"unsigned long long"}]},
    {"name":".data","variables":[{"name":"offset","type":"int","value":-4}]},
    {"name":".rodata","variables":[
    {"name":"pid_target","type":"pid_t","description":"Process ID to trace"},
    {"name":"tgid_target","type":"pid_t","description":"Thread ID to trace","cmdarg":{"long":"tid","short":"t"}},
    {"name":"targ_failed","type":"bool","description":"trace only failed system calls",
    "cmdarg":{"default":false,"long":"failed","short":"f"}},
    {"name":"min_us","type":"unsigned long long","value":10,"description":"limits"},
    {"name":"most","type":"unsigned long long","value":18446744073709551615,"description":"limits"},
    {"name":"name","type":"char[16]","value":"cat"},
    {"name":"mode","type":"enum mode"},{"name":"levels","type":"int[3]"}]}],
    "maps":[
    {"name":"start","ident":"start","mmaped":false,"export_config":"no_export","intepreter":"default_struct"},
    {"name":"events","ident":"events","mmaped":false,"export_config":{"btf_type_id":0},"intepreter":"default_struct"},
    {"name":"opensnoo.rodata","ident":"rodata","mmaped":true,"export_config":"no_export","intepreter":"default_struct"},
    {"name":"opensnoo.data","ident":"data","mmaped":true,"export_config":"no_export","intepreter":"default_struct"},
    {"name":"opensnoo.bss","ident":"bss","mmaped":true,"export_config":"no_export","intepreter":"default_struct"}],
    "progs":[
    {"name":"tracepoint__syscalls__sys_enter_openat","attach":"tracepoint/syscalls/sys_enter_openat","link":true},
    {"name":"tracepoint__syscalls__sys_exit_openat","attach":"tracepoint/syscalls/sys_exit_openat","link":false}],
    "doc":{"version":"1.0","brief":"Trace open family syscalls.","details":"Shows who opens which file."}},
    "export_types":[{"name":"event","members":[{"name":"ts","type":"unsigned long long"},{"name":"pid","type":"pid_t"},
    {"name":"ret","type":"int"},{"name":"flags","type":"int"},{"name":"mode","type":"unsigned int"},
    {"name":"comm","type":"char[16]"}],"size":40,"type_id":0}],
    "perf_buffer_pages":64,"perf_buffer_time_ms":10,"poll_timeout_ms":100,"debug_verbose":false,"print_header":false,
    "enable_multiple_export_types":false,"eunomia_version":"moontrace 0.1.0"}
    """.filter { $0 != "\n" }

  static let histogram = """
    #include "vmlinux.h"
    #include <bpf/bpf_core_read.h>
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_tracing.h>

    struct hist_key { u32 pid; };
    struct hist { u32 slots[27]; char comm[16]; };

    /* Not documentation: @sample {"interval": 1} */
    /// @sample {"interval": 1000, "type": "log2_hist", "unit": "usecs", "clear_map": true}
    struct {
      __uint(type, BPF_MAP_TYPE_HASH);
      __uint(max_entries, 1024);
      __type(key, struct hist_key);
      __type(value, struct hist);
    } hists SEC(".maps");

    SEC("tp_btf/sched_switch")
    int BPF_PROG(handle_switch, bool preempt, struct task_struct *prev, struct task_struct *next) {
      struct hist_key key = {.pid = next->pid};
      struct hist *hist = bpf_map_lookup_elem(&hists, &key);
      if (hist) __sync_fetch_and_add(&hist->slots[prev->prio & 15], 1);
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";

    """

  /// Perf buffers with stacks, and a function that sends to any of them.
  static let stacks = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>

    struct stacktrace_event {
      __u32 pid, cpu_id;
      char comm[16];
      __s32 kstack_sz, ustack_sz;
      __u64 kstack[32], ustack[32];
    };
    struct alert { u64 at; };

    struct {
      __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
      __uint(max_entries, 1);
      __type(key, u32);
      __type(value, struct stacktrace_event);
    } heap SEC(".maps");
    #define BUFFER(name) \\
      struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } name SEC(".maps")
    /// @interpreter {"stack_trace": {"field_map": {"pid": "process"}, "with_symbols": false}}
    struct {
      __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
      __uint(key_size, 4);
      __uint(value_size, 4);
    } events SEC(".maps");
    BUFFER(alerts);

    static long send(void *ctx, void *map, void *data, __u64 size) {
      return bpf_perf_event_output(ctx, map, BPF_F_CURRENT_CPU, data, size);
    }

    SEC("perf_event")
    int profile(void *ctx) {
      u32 zero = 0;
      struct stacktrace_event *event = bpf_map_lookup_elem(&heap, &zero);
      if (!event) return 0;
      event->kstack_sz = bpf_get_stack(ctx, event->kstack, sizeof(event->kstack), 0);
      bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, event, sizeof(*event));
      struct alert alert = {bpf_ktime_get_ns()};
      send(ctx, &alerts, &alert, sizeof(alert));
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";

    """

  /// Without `vmlinux.h`.
  static let network = """
    #include <linux/bpf.h>
    #include <linux/if_ether.h>
    #include <linux/pkt_cls.h>
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_endian.h>

    struct packet { __u32 length; };
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } packets SEC(".maps");

    /// @tchook {"ifindex": 2, "attach_point": "BPF_TC_EGRESS"}
    /// @tcopts {"handle": 1, "priority": 1}
    SEC("tc")
    int on_egress(struct __sk_buff *skb) {
      struct packet packet = {.length = skb->len};
      bpf_ringbuf_output(&packets, &packet, sizeof(packet), 0);
      return TC_ACT_OK;
    }

    /// @ifindex 1
    /// @flags 2
    /// @xdpopts {"old_prog_fd": 0}
    /// @note first draft
    SEC("xdp")
    int pass(struct xdp_md *ctx) { return XDP_PASS; }
    char __license[] SEC("license") = "Dual BSD/GPL";

    """

  /// compat.bpf.h of libbpf's tools: who reserves does not know the type.
  static let compatHeader = """
    #define MAX_EVENT_SIZE 10240
    struct {
      __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
      __uint(max_entries, 1);
      __uint(key_size, sizeof(__u32));
      __uint(value_size, MAX_EVENT_SIZE);
    } heap SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 14); } events SEC(".maps");

    static __always_inline void *reserve_buf(__u64 size) {
      static const int zero = 0;
      if (bpf_core_type_exists(struct bpf_ringbuf)) return bpf_ringbuf_reserve(&events, size, 0);
      return bpf_map_lookup_elem(&heap, &zero);
    }
    static __always_inline long submit_buf(void *ctx, void *buf, __u64 size) {
      if (bpf_core_type_exists(struct bpf_ringbuf)) {
        bpf_ringbuf_submit(buf, 0);
        return 0;
      }
      return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, buf, size);
    }

    """

  static let compat = """
    #include <vmlinux.h>
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_core_read.h>
    #include "compat.bpf.h"
    typedef struct { __u32 pid; int sig; } event_t;
    SEC("tracepoint/signal/signal_generate")
    int sig_trace(struct trace_event_raw_signal_generate *ctx) {
      event_t *event;
      event = reserve_buf(sizeof(*event));
      if (!event) return 0;
      event->pid = bpf_get_current_pid_tgid() >> 32;
      event->sig = ctx->sig;
      submit_buf(ctx, event, sizeof(*event));
      return 0;
    }
    char LICENSE[] SEC("license") = "Dual BSD/GPL";

    """

  /// A program that sends what it has no type for.
  static let untyped = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    struct wide { u64 a[2]; };
    struct other { u64 b; };
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
    SEC("raw_tp/sys_enter")
    int on_enter(void *ctx) {
      char *bytes = bpf_ringbuf_reserve(&events, SIZE, 0);
      if (!bytes) return 0;
      bytes[0] = 1;
      bpf_ringbuf_submit(bytes, 0);
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";

    """
}
