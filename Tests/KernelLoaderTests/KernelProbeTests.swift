import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Attachments to functions of the kernel, proved by this thread's own calls of ftruncate(2), which end in
/// `long do_sys_ftruncate(unsigned int fd, loff_t length, int small)`.
@Suite(.requires(.root, .clang)) struct KernelProbeTests {
  private static let counters = """
    const volatile __u32 thread;
    __u64 runs, lengths;
    __s64 results;
    static __always_inline __attribute__((unused)) int is_ours(void) { return (__u32)bpf_get_current_pid_tgid() == thread; }
    static __always_inline __attribute__((unused)) int called(long fd, long length) {
      if (is_ours()) { runs++; lengths += length; }
      return 0;
    }
    static __always_inline __attribute__((unused)) int returned(long result) {
      if (is_ours()) { runs++; results += result; }
      return 0;
    }

    """

  private func open(_ name: String, _ source: String) throws -> BPFObject {
    let object = try Workshop.openWithKernelTypes(name, Self.counters + source)
    try object.set("thread", to: thisThread())
    return object
  }

  /// Three calls: two of a file's, with the lengths 40 and 2, and one that gives EBADF (9), with the length 100.
  private func truncate() throws {
    let path = "\(Workshop.directory)/truncated.\(thisThread())"
    let file = OwnedDescriptor(try check("create") { Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) })
    #expect(ftruncate(file.number, 40) == 0)
    #expect(ftruncate(file.number, 2) == 0)
    #expect(ftruncate(-1, 100) == -1 && errno == EBADF)
  }

  /// Attaches a program, makes the three calls, and holds what it saw of them against `lengths` and `results`.
  private func expect(
    _ object: BPFObject, _ program: String, at spec: String? = nil, runs: UInt64 = 3, lengths: UInt64 = 0,
    results: Int64 = 0, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try object.set("runs", to: UInt64(0))
    try object.set("lengths", to: UInt64(0))
    try object.set("results", to: Int64(0))
    let link = try #require(object.program(program)).attach(to: spec.map { try AttachSpec($0) })
    try truncate()
    link.detach()
    try truncate()
    #expect(try object.value("runs") == runs, sourceLocation: sourceLocation)
    #expect(try object.value("lengths") == lengths, sourceLocation: sourceLocation)
    #expect(try object.value("results") == results, sourceLocation: sourceLocation)
  }

  @Test(.requires(.kprobes)) func kprobesAndKretprobes() throws {
    let object = try open(
      "kprobes",
      """
      SEC("kprobe/do_sys_ftruncate") int BPF_KPROBE(on_entry, unsigned fd, long length) { return called(fd, length); }
      SEC("kretprobe/do_sys_ftruncate") int BPF_KRETPROBE(on_return, long result) { return returned(result); }
      SEC("kprobe") int BPF_KPROBE(anywhere, unsigned fd, long length) { return called(fd, length); }
      SEC("kretprobe") int BPF_KRETPROBE(anyone, long result) { return returned(result); }
      """)
    try object.whileLoaded {
      try expect(object, "on_entry", lengths: 142)
      try expect(object, "on_return", results: -9)
      try expect(object, "anywhere", at: "k:do_sys_ftruncate", lengths: 142)
      try expect(object, "anyone", at: "kr:do_sys_ftruncate", results: -9)
      let link = try #require(object.program("on_entry")).attach()
      #expect(link.target == "kprobe:do_sys_ftruncate")
    }
  }

  /// The arguments are still in their registers behind the function's first instruction.
  @Test(.requires(.kprobes)) func kprobesInsideFunctions() throws {
    let object = try open(
      "offsets", "SEC(\"kprobe\") int BPF_KPROBE(inside, unsigned fd, long length) { return called(fd, length); }")
    try object.whileLoaded {
      let program = try #require(object.program("inside"))
      let offset = try #require(
        (1...9).first { (try? program.attach(to: AttachSpec("kprobe:do_sys_ftruncate+\($0)"))) != nil })
      try expect(object, "inside", at: "kprobe:do_sys_ftruncate+\(offset)", lengths: 142)
      let error = try failure { _ = try program.attach(to: AttachSpec("kprobe:do_sys_ftruncate+1")) }
      #expect(error.code == .usage)
      #expect(error.message.hasSuffix("program 'inside': no instruction starts at do_sys_ftruncate+1"))
    }
  }

  @Test(.requires(.kprobes)) func functionsThatCannotBeProbed() throws {
    let object = try open("nowhere", "SEC(\"kprobe\") int anywhere(void *ctx) { return 0; }")
    try object.whileLoaded {
      let program = try #require(object.program("anywhere"))
      let mistyped = try failure { _ = try program.attach(to: AttachSpec("k:do_sys_ftruncat")) }
      #expect(mistyped.code == .unsupported)
      #expect(mistyped.message.contains("no function 'do_sys_ftruncat' that can be probed"))
      #expect(mistyped.message.contains("did you mean 'do_sys_ftruncate'?"))
      let forbidden = try failure { _ = try program.attach(to: AttachSpec("k:exc_page_fault")) }
      #expect(forbidden.code == .unsupported)
      #expect(forbidden.message.hasSuffix("this kernel allows no probe in 'exc_page_fault'"))
      let call = try failure { _ = try program.attach(to: AttachSpec("ksyscall:ftruncat")) }
      #expect(call.message.contains("did you mean 'ftruncate'?"), "\(call.message)")
    }
  }

  @Test(.requires(.kprobes)) func systemCalls() throws {
    let object = try open(
      "calls",
      """
      SEC("ksyscall/ftruncate") int BPF_KSYSCALL(on_entry, unsigned fd, long length) { return called(fd, length); }
      SEC("kretsyscall/ftruncate") int BPF_KRETPROBE(on_return, long result) { return returned(result); }
      """)
    try object.whileLoaded {
      try expect(object, "on_entry", lengths: 142)
      try expect(object, "on_entry", at: "ksyscall:ftruncate", lengths: 142)
      try expect(object, "on_return", results: -9)
      try expect(object, "on_return", at: "kretsyscall:ftruncate", results: -9)
    }
  }

  @Test(.requires(.kprobeMulti)) func manyFunctionsAtOnce() throws {
    let object = try open(
      "multi",
      """
      SEC("kprobe.multi/do_sys_*truncate") int BPF_KPROBE(on_entry, long what, long length) { return called(what, length); }
      SEC("kretprobe.multi/do_sys_*truncate") int BPF_KRETPROBE(on_return, long result) { return returned(result); }
      SEC("kprobe.multi") int anywhere(void *ctx) { return returned(1); }
      """)
    try object.whileLoaded {
      try expect(object, "on_entry", lengths: 142)
      try expect(object, "on_return", results: -9)
      try expect(object, "anywhere", at: "kprobe:do_sys_ftruncate", results: 3)
      let program = try #require(object.program("anywhere"))
      let link = try program.attach(to: AttachSpec("kprobe:vfs_*"))
      #expect(link.target == "kprobe:vfs_*")
      link.detach()
      let mistyped = try failure { _ = try program.attach(to: AttachSpec("k:no_such_function_*")) }
      #expect(mistyped.message.contains("no function 'no_such_function_*' that can be probed"))
      let inside = try failure { _ = try program.attach(to: AttachSpec("k:do_sys_ftruncate+4")) }
      #expect(inside.code == .usage && inside.remedy == "use kprobe")
    }
  }

  @Test(.requires(absent: .kprobeMulti)) func manyFunctionsWhereThatIsMissing() throws {
    let object = try open("no_multi", "SEC(\"kprobe.multi/do_sys_*\") int on_entry(void *ctx) { return 0; }")
    let error = try failure {
      try object.load()
      _ = try #require(object.program("on_entry")).attach()
    }
    #expect(error.code == .unsupported)
    #expect(error.message.contains("this kernel has no kprobe.multi: "), "\(error.message)")
  }

  @Test(.requires(.fentry)) func functionsByTheirTypes() throws {
    let object = try open(
      "typed_functions",
      """
      SEC("fentry/do_sys_ftruncate") int BPF_PROG(on_entry, unsigned fd, loff_t length, int small) {
        return called(fd, length);
      }
      SEC("fexit/do_sys_ftruncate") int BPF_PROG(on_return, unsigned fd, loff_t length, int small, long result) {
        if (is_ours()) lengths += length;
        return returned(result);
      }
      SEC("fexit") int BPF_PROG(anywhere, unsigned fd, loff_t length, int small, long result) { return returned(result); }
      """)
    let late = try #require(object.program("anywhere"))
    try late.prepare(for: AttachSpec("fr:do_sys_ftruncate"))
    try object.whileLoaded {
      try expect(object, "on_entry", lengths: 142)
      try expect(object, "on_return", lengths: 142, results: -9)
      try expect(object, "anywhere", at: "fexit:do_sys_ftruncate", results: -9)
    }
  }
}
