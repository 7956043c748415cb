import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Programs that decide what the kernel does: fmod_ret and LSM. They see this thread's calls of truncate(2) only.
@Suite(.requires(.root, .clang)) struct SecurityAttachTests {
  /// With `refuses` the program answers EDQUOT (122) for this thread; else it changes nothing.
  private static let counters = """
    const volatile __u32 thread;
    bool refuses;
    __u64 runs;
    static __always_inline __attribute__((unused)) int decide(void) {
      if ((__u32)bpf_get_current_pid_tgid() != thread) return 0;
      runs++;
      return refuses ? -122 : 0;
    }

    """

  private func open(_ name: String, _ source: String) throws -> BPFObject {
    let object = try Workshop.openWithKernelTypes(name, Self.counters + source)
    try object.set("thread", to: thisThread())
    return object
  }

  /// The errno of truncating a file of this test's own; 0 when it succeeds.
  private func truncateFile() throws -> Int32 {
    let path = "\(Workshop.directory)/decided.\(thisThread())"
    try writeFile(path, [1, 2, 3])
    return truncate(path, 1) == 0 ? 0 : errno
  }

  private func expectVerdicts(_ object: BPFObject, _ name: String) throws {
    try object.whileLoaded {
      let program = try #require(object.program(name))
      #expect(program.needsKernelWrite)
      let link = try program.attach()
      #expect(try truncateFile() == 0)
      #expect(try object.value("runs", as: UInt64.self) == 1)
      try object.set("refuses", to: UInt8(1))
      #expect(try truncateFile() == EDQUOT)
      link.detach()
      #expect(try truncateFile() == 0)
      #expect(try object.value("runs", as: UInt64.self) == 2)
    }
  }

  @Test(.requires(.fentry)) func modifiedReturnValues() throws {
    let object = try open(
      "modifies",
      "SEC(\"fmod_ret/security_path_truncate\") int BPF_PROG(decides, struct path *path) { return decide(); }")
    try expectVerdicts(object, "decides")
  }

  @Test(.requires(.lsm)) func securityPrograms() throws {
    let object = try open(
      "guards", "SEC(\"lsm/path_truncate\") int BPF_PROG(guards, struct path *path) { return decide(); }")
    try expectVerdicts(object, "guards")
  }

  @Test(.requires(absent: .lsm)) func securityProgramsWhereThereAreNone() throws {
    let object = try open("guards_nothing", "SEC(\"lsm/path_truncate\") int guards(void *ctx) { return 0; }")
    let error = try failure {
      try object.load()
      _ = try #require(object.program("guards")).attach()
    }
    #expect(error.code == .unsupported)
    #expect(error.message.contains("program 'guards': this kernel has no BPF LSM programs: "), "\(error.message)")
  }

  @Test(.requires(.fentry)) func functionsWhoseResultMayNotBeChanged() throws {
    let object = try open("meddles", "SEC(\"fmod_ret/do_sys_ftruncate\") int meddles(void *ctx) { return 0; }")
    defer { object.close() }
    let error = try failure { try object.load() }
    #expect(error.message.contains("program 'meddles'"), "\(error)")
    #expect(error.message.contains("do_sys_ftruncate"), "\(error)")
  }
}
