import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Of capabilities(7): the kernel's `struct __user_cap_header_struct` and two `__user_cap_data_struct`.
@_silgen_name("capget") private func getCapabilities(_ header: UnsafeMutableRawPointer, _ data: UnsafeMutableRawPointer)
  -> Int32
@_silgen_name("capset") private func setCapabilities(_ header: UnsafeMutableRawPointer, _ data: UnsafeMutableRawPointer)
  -> Int32

/// What someone sees who is not root.
@Suite(.requires(.root, .clang)) struct PermissionTests {
  /// Runs the body while this thread has no effective capabilities.
  private func withoutCapabilities(_ body: () throws -> Void) throws {
    var header: [UInt32] = [0x2008_0522, 0]
    // effective, permitted and inheritable of the low 32 capabilities, then of the high ones
    var data = [UInt32](repeating: 0, count: 6)
    try #require(getCapabilities(&header, &data) == 0)
    var none = data
    (none[0], none[3]) = (0, 0)
    try #require(setCapabilities(&header, &none) == 0)
    defer { #expect(setCapabilities(&header, &data) == 0) }
    try body()
  }

  @Test func loadingNamesTheMissingCapability() throws {
    let object = try Workshop.open("rights", #"SEC("raw_tp/sys_enter") int on_call(void *ctx) { return 0; }"#)
    defer { object.close() }
    try withoutCapabilities {
      #expect(ProcessCapability.missing() == [.bpf, .performanceMonitoring])
      let error = try failure { try object.load() }
      #expect(error.code == .notPermitted)
      #expect(error.message.contains("with CAP_BPF and CAP_PERFMON missing"))
      #expect(error.remedy == "run as root")
      let statistics = try failure { _ = try StatisticsCollection() }
      #expect(statistics.code == .notPermitted)
    }
    #expect(ProcessCapability.missing().isEmpty)
  }

  @Test func kernelSymbolsAreHidden() throws {
    try withoutCapabilities {
      let symbols = KernelSymbols()
      #expect(symbols.areHidden)
      #expect(symbols.whyHidden == "this process has no CAP_SYSLOG (run as root)")
      #expect(symbols.symbol(at: 0xffff_ffff_8100_0000) == nil)
    }
    #expect(!KernelSymbols().areHidden)
  }

  @Test func attachingNamesTheMissingCapability() throws {
    let object = try Workshop.open("rights_perf", #"SEC("perf_event") int on_sample(void *ctx) { return 0; }"#)
    try object.whileLoaded {
      let program = try #require(object.program("on_sample"))
      try withoutCapabilities {
        let error = try failure { _ = try program.attach(to: AttachSpec("profile:99")) }
        #expect(error.code == .notPermitted)
        #expect(error.message.contains("program 'on_sample'"))
      }
    }
  }
}
