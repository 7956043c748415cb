import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Attachments to the kernel's and to programs' code, each proved by events that the test makes itself.
@Suite(.requires(.root, .clang)) struct TracingAttachTests {
  /// A counter that the calling thread's runs increment.
  static let counter = """
    const volatile u32 thread;
    u64 runs;
    static __always_inline int hit(void) {
      if ((u32)bpf_get_current_pid_tgid() == thread) __sync_fetch_and_add(&runs, 1);
      return 0;
    }

    """

  private func open(_ name: String, _ source: String) throws -> BPFObject {
    let object = try Workshop.open(name, Self.counter + source)
    try object.set("thread", to: thisThread())
    return object
  }

  private func makeCalls(_ count: Int) {
    for _ in 0..<count { _ = getppid() }
  }

  @Test func tracepointBySection() throws {
    let object = try open(
      "tracepoint", #"SEC("tracepoint/syscalls/sys_enter_getppid") int on_call(void *ctx) { return hit(); }"#)
    try object.whileLoaded {
      let link = try #require(object.program("on_call")).attach()
      #expect(link.target == "tracepoint:syscalls:sys_enter_getppid")
      makeCalls(7)
      #expect(try object.value("runs", as: UInt64.self) == 7)
      link.detach()
      makeCalls(3)
      #expect(try object.value("runs", as: UInt64.self) == 7)
      #expect(!link.isAttached)
    }
  }

  @Test func tracepointAtRunTime() throws {
    let object = try open("bare", #"SEC("tp") int on_call(void *ctx) { return hit(); }"#)
    try object.whileLoaded {
      let program = try #require(object.program("on_call"))
      let error = try failure { _ = try program.attach() }
      #expect(error.message.contains("section 'tp'"))
      #expect(error.remedy == #"p:attach("tracepoint:CATEGORY:EVENT")"#)
      let link = try program.attach(to: AttachSpec("t:syscalls:sys_enter_getppid"))
      makeCalls(4)
      #expect(try object.value("runs", as: UInt64.self) == 4)
      withExtendedLifetime(link) {}
    }
  }

  @Test func missingTracepointsGetSuggestions() throws {
    let object = try open("mistyped", #"SEC("tp") int on_call(void *ctx) { return hit(); }"#)
    try object.whileLoaded {
      let program = try #require(object.program("on_call"))
      let event = try failure { _ = try program.attach(to: AttachSpec("t:syscalls:sys_enter_getpid_")) }
      #expect(event.code == .unsupported)
      #expect(event.message.contains("did you mean 'sys_enter_getpid'?"))
      let category = try failure { _ = try program.attach(to: AttachSpec("t:shed:sched_switch")) }
      #expect(category.message.contains("did you mean 'sched'?"))
      let wrongKind = try failure { _ = try program.attach(to: AttachSpec("profile:99")) }
      #expect(wrongKind.code == .usage)
      #expect(wrongKind.message.contains("can't be attached to profile:99"))
    }
  }

  @Test func rawTracepoint() throws {
    let object = try open(
      "raw",
      """
      SEC("raw_tp/sys_enter") int on_call(struct bpf_raw_tracepoint_args *ctx) { return ctx->args[1] == 110 ? hit() : 0; }
      SEC("?raw_tp") int optional(void *ctx) { return 0; }
      """)
    #expect(object.program("optional")?.isAutoloaded == false)
    try object.whileLoaded {
      #expect(object.program("optional")?.descriptor == -1)
      let program = try #require(object.program("on_call"))
      let error = try failure { _ = try program.attach(to: AttachSpec("rt:sys_entr")) }
      #expect(error.message.contains("did you mean 'sys_enter'?"))
      let link = try program.attach()
      makeCalls(5)
      link.detach()
      #expect(try object.value("runs", as: UInt64.self) == 5)
    }
  }

  @Test func typedTracepointBothWays() throws {
    let source = """
      const volatile u32 thread;
      u64 runs;
      SEC("tp_btf/sys_enter") int BPF_PROG(by_section, struct pt_regs *regs, long id) {
        if ((u32)bpf_get_current_pid_tgid() == thread && id == 110) __sync_fetch_and_add(&runs, 1);
        return 0;
      }
      SEC("?tp_btf") int BPF_PROG(at_run_time, struct pt_regs *regs, long id) {
        if ((u32)bpf_get_current_pid_tgid() == thread && id == 110) __sync_fetch_and_add(&runs, 100);
        return 0;
      }
      """
    let object = try Workshop.openWithKernelTypes("typed", source)
    try object.set("thread", to: thisThread())
    let late = try #require(object.program("at_run_time"))
    try late.setAutoload(true)
    let mistyped = try failure { try late.prepare(for: AttachSpec("tp_btf:sys_entre")) }
    #expect(mistyped.message.contains("did you mean 'sys_enter'?"))
    try late.prepare(for: AttachSpec("tp_btf:sys_enter"))
    try object.whileLoaded {
      let first = try #require(object.program("by_section")).attach()
      let second = try late.attach(to: AttachSpec("tp_btf:sys_enter"))
      makeCalls(2)
      first.detach()
      second.detach()
      #expect(try object.value("runs", as: UInt64.self) == 202)
    }
  }

  @Test func perfEventsOnAllCPUs() throws {
    let object = try Workshop.open(
      "sampled",
      """
      u64 runs;
      SEC("perf_event") int on_sample(void *ctx) { __sync_fetch_and_add(&runs, 1); return 0; }
      """)
    try object.whileLoaded {
      let program = try #require(object.program("on_sample"))
      for text in ["profile:99", "interval:0.01", "software:cpu-clock:10000000", "s:faults:1"] {
        try object.set("runs", to: UInt64(0))
        let link = try program.attach(to: AttachSpec(text))
        #expect(Kernel.waitUntil { burn() && (try? object.value("runs", as: UInt64.self)) ?? 0 > 2 }, "\(text)")
        link.detach()
      }
      let ours = try program.attach(to: AttachSpec("profile:999"), pid: getpid())
      ours.detach()
      let error = try failure { _ = try program.attach(to: AttachSpec("profile:99"), pid: Int32.max) }
      #expect(error.message.contains("no process \(Int32.max)"))
    }
  }

  /// Uses some CPU time and touches new memory; always true.
  private func burn() -> Bool {
    let pages = mmap(nil, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    if let pages, pages != MAP_FAILED {
      memset(pages, 1, 1 << 16)
      munmap(pages, 1 << 16)
    }
    return true
  }

  @Test(.requires(absent: .hardwareCounters))
  func hardwareCountersThatAreMissing() throws {
    let object = try Workshop.open("hardware", #"SEC("perf_event") int on_sample(void *ctx) { return 0; }"#)
    try object.whileLoaded {
      let program = try #require(object.program("on_sample"))
      let error = try failure { _ = try program.attach(to: AttachSpec("h:cycles")) }
      #expect(error.code == .unsupported)
      #expect(error.message.contains("no hardware counters"))
      #expect(error.remedy?.contains("software:cpu-clock") == true)
    }
  }

  @Test(.requires(absent: .kprobes))
  func kprobesThatAreMissing() throws {
    let object = try open("kprobe", #"SEC("kprobe/do_unlinkat") int on_unlink(void *ctx) { return hit(); }"#)
    try object.whileLoaded {
      let program = try #require(object.program("on_unlink"))
      for spec in [nil, try AttachSpec("kr:do_unlinkat"), try AttachSpec("ksyscall:unlinkat")] {
        let error = try failure { _ = try program.attach(to: spec) }
        #expect(error.code == .unsupported)
        #expect(error.message.contains("program 'on_unlink'"))
        #expect(error.message.contains("this kernel has no kprobes: CONFIG_KPROBES is off"))
        #expect(error.remedy == "use a tracepoint or rawtracepoint")
      }
    }
  }

  @Test(.requires(absent: .fentry))
  func fentryThatIsForbidden() throws {
    let object = try open("fentry", #"SEC("fentry/do_unlinkat") int on_unlink(void *ctx) { return hit(); }"#)
    let error = try failure {
      try object.load()
      _ = try #require(object.program("on_unlink")).attach()
    }
    #expect(error.code == .unsupported)
    #expect(error.message.contains("program 'on_unlink': this kernel has no fentry and fexit: "))
    #expect(error.remedy?.contains("tp_btf") == true)
  }

  @Test func iterator() throws {
    let object = try Workshop.openWithKernelTypes(
      "tasks",
      """
      SEC("iter/task") int each_task(struct bpf_iter__task *ctx) {
        struct task_struct *task = ctx->task;
        if (task) BPF_SEQ_PRINTF(ctx->meta->seq, "%d\\n", task->tgid);
        return 0;
      }
      """)
    try object.whileLoaded {
      let program = try #require(object.program("each_task"))
      let all = try program.attach()
      let everyone = String(decoding: try all.readIterator(), as: UTF8.self).split(separator: "\n")
      #expect(everyone.contains("\(getpid())"), "\(everyone.prefix(9))")
      let own = try program.attach(to: AttachSpec("it:task"), pid: getpid())
      let ours = String(decoding: try own.readIterator(), as: UTF8.self).split(separator: "\n")
      #expect(Set(ours) == ["\(getpid())"])
      all.detach()
      #expect(try failure { _ = try all.readIterator() }.code == .usage)
    }
  }
}
