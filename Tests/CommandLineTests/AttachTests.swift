import Glibc
import KernelTestSupport
import Support
import Testing

/// p:attach(SPEC) for every kind of place, each held against what the workload does.
@Suite(.requires(.root, .clang))
struct AttachTests {
  static let source = """
    #include <bpf/usdt.bpf.h>
    __u64 runs, others, total;
    const volatile int wanted;
    __u64 strangers;
    static __always_inline int hit(void) {
      if (is_ours()) __sync_fetch_and_add(&runs, 1); else __sync_fetch_and_add(&others, 1);
      if (wanted && bpf_get_current_pid_tgid() >> 32 != wanted) __sync_fetch_and_add(&strangers, 1);
      return 0;
    }
    SEC("tracepoint") int on_event(void *ctx) { return hit(); }
    SEC("raw_tp") int on_call(struct bpf_raw_tracepoint_args *ctx) { return ctx->args[1] == 110 ? hit() : 0; }
    SEC("tp_btf/sys_enter") int BPF_PROG(on_typed, struct pt_regs *regs, long id) { return id == 110 ? hit() : 0; }
    SEC("uprobe") int BPF_KPROBE(on_entry, long number) { __sync_fetch_and_add(&total, number); return hit(); }
    SEC("uretprobe") int BPF_KRETPROBE(on_return, long result) { __sync_fetch_and_add(&total, result); return hit(); }
    SEC("usdt") int BPF_USDT(on_probe, long number) { __sync_fetch_and_add(&total, number); return hit(); }
    SEC("perf_event") int on_sample(void *ctx) { return hit(); }
    SEC("iter/task") int each_task(struct bpf_iter__task *ctx) {
      struct task_struct *task = ctx->task;
      if (task) BPF_SEQ_PRINTF(ctx->meta->seq, "%d %s\\n", task->tgid, task->comm);
      return 0;
    }
    """

  private static let shared = Result { try ObjectBench(source) }

  private func expect(
    _ lua: String, command: String? = nil, prints lines: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try Self.shared.get().expect(lua, command: command, prints: lines, sourceLocation: sourceLocation)
  }

  private func figures(_ lua: String, command: String?, options: [String] = []) throws -> [Int] {
    let run = try Self.shared.get().run(
      "\(lua) at_exit(function() print(g.runs, g.others, g.total) end)", command: command, options: options)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return run.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
  }

  // MARK: Exact

  @Test(arguments: [
    "on_event:attach('tracepoint:syscalls:sys_enter_getppid')", "on_event:attach('t:syscalls:sys_exit_getppid')",
  ])
  func tracepoints(attach: String) throws {
    #expect(try figures("p.\(attach)", command: "getppid 1000").first == 1000)
  }

  @Test(arguments: [
    "on_call:attach('rawtracepoint:sys_enter')", "on_call:attach('rt:sys_enter')", "on_typed:attach()",
    "on_typed:attach('tp_btf:sys_enter')",
  ])
  func rawTracepoints(attach: String) throws {
    #expect(try figures("p.\(attach)", command: "getppid 1000").first == 1000)
  }

  @Test func uprobes() throws {
    #expect(
      try figures("p.on_entry:attach('uprobe:' .. w .. ':workload_function')", command: "call 100") == [100, 0, 4950])
    #expect(
      try figures("p.on_entry:attach('u:' .. w .. ':workload_function+0')", command: "call 100") == [100, 0, 4950])
  }

  /// The function gives its number back, plus the length of "text".
  @Test func uretprobes() throws {
    #expect(
      try figures("p.on_return:attach('uretprobe:' .. w .. ':workload_function')", command: "call 100") == [
        100, 0, 5350,
      ])
  }

  @Test(.requires(.usdtHeader))
  func usdt() throws {
    #expect(
      try figures("p.on_probe:attach('usdt:' .. w .. ':workload:called')", command: "call 100") == [100, 0, 4950])
    let run = try Self.shared.get().run("\np.on_probe:attach('usdt:' .. w .. ':workload:caled')")
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("(command line):2: ") && run.errors.contains("(did you mean 'workload:called'?)"))
  }

  @Test func severalPlacesForOneProgram() throws {
    #expect(
      try figures(
        "for _, at in ipairs {'workload_function', 'workload_function+4'} do p.on_entry:attach('u:' .. w .. ':' .. at) end",
        command: "call 100"
      ).first == 200)
  }

  @Test func processesThatTheWorkloadStarts() throws {
    try expect(
      """
      p.on_event:attach("tracepoint:sched:sched_process_fork")
      at_exit(function() print(g.runs) end)
      """, command: "exec 7", prints: "7")
  }

  @Test func iterators() throws {
    try expect(
      """
      local text = p.each_task:attach():read()
      print(text:find(" moontrace\\n", 1, true) ~= nil, select(2, text:gsub("\\n", "")) > 3)
      p.each_task:detach():attach("iter:task") print(#p.each_task:read() > 20)
      try(function() p.on_event:attach("t:sched:sched_switch"):read() end)
      exit()
      """,
      prints: """
        true\ttrue
        true
        (command line):4: program 'on_event': can't run tracepoint:sched:sched_switch as an iterator: Invalid argument
        """)
  }

  /// What is attached and read by nobody is read once when all is live; then there is nothing to wait for. It sees what
  /// a program in Lua sees.
  @Test func iteratorsThatNobodyReads() throws {
    let bench = try ObjectBench(
      """
      struct event { int tgid; };
      struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");
      SEC("iter/task") int each_task(struct bpf_iter__task *ctx) {
        struct task_struct *task = ctx->task;
        if (!task || task->tgid != task->pid) return 0;
        struct event event = { task->tgid };
        bpf_ringbuf_output(&events, &event, sizeof event, 0);
        if (task->tgid == \(getpid())) BPF_SEQ_PRINTF(ctx->meta->seq, "tests %d\\n", task->pid);
        return 0;
      }
      """)
    let script = """
      local seen = {}
      m.events:each(function(e) seen[e.tgid] = true end)
      o:attach()
      at_exit(function() print(seen[\(getpid())], seen[2]) end)
      """
    #expect(try bench.run(script).output == "tests \(getpid())\ntrue\ttrue\n")
    let json = try bench.run(script, options: ["-f", "json"])
    #expect(json.output == "{\"print\":\"tests \(getpid())\"}\n{\"print\":\"true\\ttrue\"}\n", "\(json.errors)")
  }

  // MARK: At least

  @Test(arguments: ["profile:199", "p:199", "software:cpu-clock:5000000", "s:cpu-clock:5000000"])
  func samples(spec: String) throws {
    #expect(try figures("p.on_sample:attach('\(spec)')", command: "spin 0.5")[0] >= 10)
  }

  @Test func intervals() throws {
    let figures = try figures("p.on_sample:attach('interval:0.01')", command: "spin 0.5")
    #expect(figures[0] + figures[1] >= 5, "\(figures)")
  }

  /// One for each sleep, but for those that end before it has left the CPU.
  @Test func contextSwitchesOfOneProcess() throws {
    try expect(
      """
      p.on_sample:attach("software:context-switches:1")
      at_exit(function() print(g.runs >= 50) end)
      """, command: "sleep 100", prints: "true")
  }

  // MARK: One process only

  /// Two processes call the same function; only the traced one counts.
  @Test func thePidLimitsUserProbes() throws {
    let workload = try ObjectBench.copyWorkload()
    let traced = try Subprocess(workload, ["call", "1000000000000"])
    let other = try Subprocess(workload, ["call", "1000000000000"])
    let pids = [traced.pid, other.pid]
    defer {
      for pid in pids {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
      }
    }
    let run = try Self.shared.get().run(
      """
      g.wanted = opt.pid
      p.on_entry:attach("uprobe:" .. w .. ":workload_function")
      every(0.02, function() if g.runs >= 1000 then print(g.strangers) exit() end end)
      """, workload: workload, options: ["-p", "\(pids[0])"])
    #expect(run.output == "0\n", "\(run.errors)")
  }
}
