import FileTestSupport
import Glibc
import KernelLoader
import KernelTestSupport
import ProbeCompiler
import Support
import Testing

@testable import Tracing

@Suite(.requires(.root, .usdtHeader)) struct USDTProbeTests {
  /// Two places that pass arguments in different ways, behind a semaphore: without a tracer it fires nothing.
  private static let source = """
    #define _SDT_HAS_SEMAPHORES 1
    #include <sys/sdt.h>
    #include <stdlib.h>
    __extension__ unsigned short workshop_step_semaphore __attribute__((unused)) __attribute__((section(".probes")));
    int main(int c, char **v) {
      volatile int number = atoi(v[1]);
      for (int i = 0; i < 3; i++)
        if (workshop_step_semaphore) STAP_PROBE3(workshop, step, number, (unsigned char)i, -7);
      if (workshop_step_semaphore) STAP_PROBE3(workshop, step, 1000L, v[1], (short)number);
      return 0;
    }
    """

  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func executable() throws -> String {
    let path = directory.path("workshop")
    try #require(system("clang -O1 \(try directory.write("workshop.c", Self.source)) -o \(path)") == 0)
    return path
  }

  @Test func argumentsOfEachPlace() throws {
    let path = try executable()
    let sites = try ProbeSite.sites(of: AttachSpec("U:\(path):workshop:step"))
    #expect(sites.count == 2 && sites.allSatisfy { $0.context.kind == .usdt && $0.context.positional.count == 3 })
    let loop = try Recorder([sites[0]], reading: \.positional, thread: nil)
    defer { loop.close() }
    let last = try Recorder([sites[1]], reading: \.positional, thread: nil)
    defer { last.close() }
    #expect(loop.links[0].target == "usdt:\(path):workshop:step")
    try #require(system("\(path) -5") == 0)
    #expect(loop.runs % 3 == 0 && loop.runs >= 3)
    #expect([loop.number(0), loop.number(1), loop.number(2)] == [-5, 2, -7])
    #expect(last.runs == 1 && last.number(0) == 1000 && last.number(1) != 0 && last.number(2) == -5)
  }

  @Test func globs() throws {
    let path = try executable()
    let specs = try AttachSpec("usdt:\(path):work*:*").expanded()
    #expect(specs == [.usdt(binary: path, provider: "workshop", name: "step")])
    let error = try failure { _ = try AttachSpec("usdt:\(path):workshop:stap*").expanded() }
    #expect(error.code == .usage && error.message.contains("did you mean 'step*'?"))
  }
}
