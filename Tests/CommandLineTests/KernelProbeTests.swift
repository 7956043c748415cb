import Glibc
import KernelTestSupport
import Support
import Testing

/// Scripts that attach to functions of the kernel, each held against a workload that calls ftruncate(2): a hundred times
/// with the lengths 0 to 99, and once more for EBADF (9) with the length 1000.
@Suite(.requires(.root, .clang))
struct KernelProbeTests {
  static let source = """
    __u64 runs, total;
    __s64 results;
    static __always_inline int called(long length) {
      if (is_ours()) { __sync_fetch_and_add(&runs, 1); __sync_fetch_and_add(&total, length); }
      return 0;
    }
    static __always_inline int returned(long result) {
      if (is_ours()) { __sync_fetch_and_add(&runs, 1); __sync_fetch_and_add(&results, result); }
      return 0;
    }
    SEC("kprobe/do_sys_ftruncate") int BPF_KPROBE(on_entry, unsigned fd, long length) { return called(length); }
    SEC("kretprobe/do_sys_ftruncate") int BPF_KRETPROBE(on_return, long result) { return returned(result); }
    SEC("ksyscall/ftruncate") int BPF_KSYSCALL(on_call, unsigned fd, long length) { return called(length); }
    SEC("kretsyscall/ftruncate") int BPF_KRETPROBE(on_result, long result) { return returned(result); }
    """
  static let typed = """
    struct event { __u32 fd; __s64 length; __s64 result; };
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");
    __u64 runs;
    SEC("fentry/do_sys_ftruncate") int BPF_PROG(on_entry, unsigned fd, loff_t length, int small) {
      if (is_ours()) __sync_fetch_and_add(&runs, 1);
      return 0;
    }
    SEC("fexit/do_sys_ftruncate") int BPF_PROG(on_exit, unsigned fd, loff_t length, int small, long result) {
      if (!is_ours()) return 0;
      struct event e = { fd, length, result };
      bpf_ringbuf_output(&events, &e, sizeof e, 0);
      return 0;
    }
    """

  private static let untyped = Result { try ObjectBench(source) }

  private func expect(
    _ attach: String, prints lines: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try Self.untyped.get().expect(
      "\(attach) at_exit(function() print(g.runs, g.total, g.results) end)", command: "ftruncate 100", prints: lines,
      sourceLocation: sourceLocation)
  }

  @Test(
    .requires(.kprobes),
    arguments: [
      "on_entry:attach()", "on_entry:attach('kprobe:do_sys_ftruncate')", "on_call:attach()",
      "on_call:attach('ksyscall:ftruncate')",
    ])
  func calls(attach: String) throws {
    try expect("p.\(attach)", prints: "101\t5950\t0")
  }

  @Test(
    .requires(.kprobes),
    arguments: [
      "on_return:attach()", "on_return:attach('kr:do_sys_ftruncate')", "on_result:attach()",
      "on_result:attach('kretsyscall:ftruncate')",
    ])
  func results(attach: String) throws {
    try expect("p.\(attach)", prints: "101\t0\t-9")
  }

  @Test(.requires(.kprobes)) func aDetachedProbeIsSilent() throws {
    try expect("p.on_entry:attach() p.on_entry:detach()", prints: "0\t0\t0")
  }

  @Test(.requires(.kprobeMulti)) func manyFunctions() throws {
    let bench = try ObjectBench(
      """
      __u64 runs;
      SEC("kprobe.multi/do_sys_*truncate") int on_any(void *ctx) {
        if (is_ours()) __sync_fetch_and_add(&runs, 1);
        return 0;
      }
      """)
    try bench.expect(
      "o:attach() at_exit(function() print(g.runs) end)", command: "ftruncate 100", prints: "101")
    try bench.expect(
      "p.on_any:attach('kprobe:*_ftruncate') at_exit(function() print(g.runs >= 202) end)", command: "ftruncate 100",
      prints: "true")
  }

  @Test(.requires(.fentry)) func functionsByTheirTypes() throws {
    let bench = try ObjectBench(Self.typed)
    try bench.expect(
      """
      local total, sum, runs = 0, 0, 0
      m.events:each(function(e) runs = runs + 1 total = total + e.length sum = sum + e.result end)
      o:attach()
      at_exit(function() print(g.runs, runs, total, sum) end)
      """, command: "ftruncate 100", prints: "101\t101\t5950\t-9")
    let run = try bench.run("m.events:each(emit) o:attach()", command: "ftruncate 1", options: ["-f", "json"])
    #expect(run.lines.count == 2 && run.status == 0, "\(run.output)\(run.errors)")
    #expect(run.lines.last == #"{"fd":4294967295,"length":1000,"result":-9}"#)
  }

  /// Programs that can change what the kernel does need to be allowed to.
  @Test(
    .requires(.fentry, .lsm),
    arguments: [
      ("fmod_ret/security_path_truncate", "overrides what kernel functions return (fmod_ret)"),
      ("lsm/path_truncate", "decides what is permitted (lsm program)"),
    ])
  func programsThatDecide(section: String, reason: String) throws {
    let bench = try ObjectBench(
      """
      __u64 runs;
      SEC("\(section)") int BPF_PROG(decides, struct path *path) {
        if (is_ours()) __sync_fetch_and_add(&runs, 1);
        return 0;
      }
      """)
    let refused = try bench.run("o:attach()", command: "truncate 10")
    #expect(refused.status == 3)
    #expect(
      refused.errors == "(command line):1: \(bench.object): program 'decides' \(reason), which needs the capability "
        + "kernel.write (--allow kernel.write)\n")
    try bench.expect(
      "o:attach() at_exit(function() print(g.runs) end)", command: "truncate 10", options: ["--allow", "kernel.write"],
      prints: "10")
  }

  @Test(.requires(.moduleTypes, .fentry)) func functionsOfAModule() throws {
    let bench = try ObjectBench(
      """
      __u64 runs, offsets;
      SEC("fexit/ovl_llseek") int BPF_PROG(sought, struct file *file, loff_t offset, int whence, loff_t result) {
        if (is_ours()) { __sync_fetch_and_add(&runs, 1); __sync_fetch_and_add(&offsets, result); }
        return 0;
      }
      """)
    try bench.expect(
      "o:attach() at_exit(function() print(g.runs, g.offsets) end)", command: "seek 100", prints: "100\t4950")
  }

  /// Without CAP_SYSLOG the kernel shows no addresses of its functions, whatever kernel.kptr_restrict says.
  @Test func hiddenKernelSymbols() throws {
    let directory = try TemporaryDirectory()
    let script = "print(ksym(0x1234)) print(ksym(0x1234))"
    let path = directory.path("said")
    let said = OwnedDescriptor(try check("create") { open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) })
    let command = ["--bounding-set", "-syslog", MoontraceProcess.executable, "-e", script]
    let status = try Subprocess("setpriv", command, descriptors: [1: said.number, 2: said.number]).wait()
    #expect(status == 0)
    #expect(
      String(decoding: try readFile(path), as: UTF8.self) == """
        kernel functions stay addresses, for the kernel hides them: this process has no CAP_SYSLOG (run as root)
        0x1234
        0x1234

        """)
  }
}
