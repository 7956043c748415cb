import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Uprobes and USDT probes.
@Suite(.requires(.root, .clang)) struct UserAttachTests {
  static let source =
    TracingAttachTests.counter + """
      u64 value;
      SEC("uprobe") int on_entry(struct pt_regs *ctx) { value = PT_REGS_PARM1(ctx); return hit(); }
      SEC("uretprobe") int on_return(struct pt_regs *ctx) { value = PT_REGS_RC(ctx); return hit(); }
      SEC("uprobe/libc:getppid") int by_section(struct pt_regs *ctx) { return hit(); }

      """

  private func open(_ name: String) throws -> BPFObject {
    let object = try BPFObject(
      bytes: Workshop.compile(name, Self.source, prelude: "#include <linux/ptrace.h>\n" + Workshop.prelude),
      name: "\(name).bpf.o")
    try object.set("thread", to: thisThread())
    return object
  }

  @Test func functionsOfALibrary() throws {
    let object = try open("uprobe")
    try object.whileLoaded {
      let entry = try #require(object.program("on_entry"))
      let link = try entry.attach(to: AttachSpec("u:libc:labs"), pid: getpid())
      let count = try object.value("runs", as: UInt64.self)
      _ = callLabs(-41)
      #expect(try object.value("runs", as: UInt64.self) == count + 1)
      #expect(try object.value("value", as: Int64.self) == -41)
      link.detach()
      let back = try #require(object.program("on_return")).attach(to: AttachSpec("ur:libc:labs"))
      _ = callLabs(-42)
      #expect(try object.value("value", as: Int64.self) == 42)
      back.detach()
      let section = try #require(object.program("by_section")).attach()
      #expect(section.target == "uprobe:libc:getppid")
      _ = getppid()
      #expect(try object.value("runs", as: UInt64.self) == count + 3)
    }
  }

  /// Calls through the library: the compiler would compute it itself.
  private func callLabs(_ value: Int) -> Int {
    typealias Function = @convention(c) (Int) -> Int
    guard let symbol = dlsym(nil, "labs") else { return 0 }
    return unsafeBitCast(symbol, to: Function.self)(value)
  }

  @Test func targetsThatAreNotThere() throws {
    let object = try open("nowhere")
    try object.whileLoaded {
      let entry = try #require(object.program("on_entry"))
      func message(_ spec: String, pid: Int32? = nil) throws -> String {
        let error = try failure { _ = try entry.attach(to: AttachSpec(spec), pid: pid) }
        #expect(error.code == .usage)
        return error.message
      }
      #expect(try message("u:libc:mallloc").contains("did you mean 'malloc'?"))
      #expect(try message("u:no_such_binary_here:main").contains("no_such_binary_here"))
      #expect(try message("u:/no/such/file:main").contains("'/no/such/file'"))
      #expect(try message("u:/etc/passwd:main").contains("not an ELF file"))
      #expect(try message("u:libc:labs", pid: Int32.max).contains("no process"))
      #expect(try message("t:sched:sched_switch").contains("can't be attached"))
    }
  }

  @Test func offsetsInAFile() throws {
    let path = try Workshop.executable(
      "offsets",
      "__attribute__((noinline)) int work(int x) { return x + 1; }\nint main(int c, char **v) { return work(c); }")
    let object = try open("offset")
    try object.set("thread", to: UInt32(0))
    try object.whileLoaded {
      let entry = try #require(object.program("on_entry"))
      let link = try entry.attach(to: AttachSpec("uprobe:\(path):work+0"))
      #expect(link.description == "on_entry -> uprobe:\(path):work")
      _ = system("\(path) a b c")
      #expect(try object.value("value", as: UInt64.self) & 0xffff_ffff == 4)
    }
  }

  static let probed = """
    #include <sys/sdt.h>
    #include <stdlib.h>
    int main(int c, char **v) {
      int number = atoi(v[1]);
      for (int i = 0; i < 3; i++) DTRACE_PROBE2(workshop, step, number, i);
      return 0;
    }
    """
  static let probeSource = """
    #include <bpf/usdt.bpf.h>
    u64 sum, runs;
    SEC("usdt") int BPF_USDT(on_step, int number, int i) {
      __sync_fetch_and_add(&sum, (u64)number * 10 + i);
      __sync_fetch_and_add(&runs, 1);
      return 0;
    }
    """

  @Test(.requires(.usdtHeader))
  func usdtProbe() throws {
    let path = try Workshop.executable("probed", Self.probed)
    #expect(try USDTNotes(path: path).probes.map(\.name) == ["step"])
    let object = try Workshop.openWithKernelTypes(
      "usdt", Self.probeSource.replacing("u64", with: "__u64"))
    try object.whileLoaded {
      let program = try #require(object.program("on_step"))
      let mistyped = try failure { _ = try program.attach(to: AttachSpec("U:\(path):workshop:stp")) }
      #expect(mistyped.message.contains("did you mean 'workshop:step'?"))
      let link = try program.attach(to: AttachSpec("U:\(path):workshop:step"))
      _ = system("\(path) 5")
      #expect(try object.value("runs", as: UInt64.self) == 3)
      #expect(try object.value("sum", as: UInt64.self) == 153)
      // Closing the object detaches first: libbpf's USDT links point into it.
      object.close()
      #expect(!link.isAttached)
    }
  }
}
