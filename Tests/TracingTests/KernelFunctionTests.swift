import BTF
import Glibc
import KernelLoader
import KernelTestSupport
import ProbeCompiler
import Support
import Testing

@testable import Tracing

/// kprobe, fentry and their kin; they run in the VM where this kernel lacks them (`scripts/vm`).
@Suite struct KernelFunctionTests {

  /// `ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)`
  private func read(_ count: Int) -> Int {
    let file = open("/dev/zero", O_RDONLY)
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: count)
    return Glibc.read(file, &bytes, count)
  }

  @Test(.requires(.root, .kprobes)) func functionArguments() throws {
    let site = try ProbeSite.sites(of: AttachSpec("k:vfs_read"))[0]
    #expect(site.context.function == "vfs_read")
    #expect(site.context.arguments.map(\.name) == ["file", "buf", "count", "pos"])
    let recorder = try Recorder("k:vfs_read", ["count", "file"])
    defer { recorder.close() }
    let positional = try Recorder([site], reading: { [$0.positional[2]] })
    defer { positional.close() }
    _ = read(12_345)
    #expect(recorder.number(0) == 12_345 && recorder.number(1) != 0)
    #expect(positional.number(0) == 12_345)
  }

  @Test(.requires(.root, .kprobes)) func functionResults() throws {
    let recorder = try Recorder(
      ProbeSite.sites(of: AttachSpec("kr:vfs_read")), reading: { $0.result.map { [$0.source] } ?? [] })
    defer { recorder.close() }
    _ = read(777)
    #expect(recorder.number(0) == 777)
    _ = Glibc.read(open("/", O_RDONLY | O_DIRECTORY), nil, 0)
    #expect(recorder.number(0) == Int64(-EISDIR))
  }

  @Test(.requires(.root, .fentry)) func typedFunctions() throws {
    let entry = try Recorder("f:vfs_read", ["count", "file"])
    defer { entry.close() }
    let exit = try Recorder(
      ProbeSite.sites(of: AttachSpec("fr:vfs_read")),
      reading: { [$0.arguments.first { $0.name == "count" }, $0.result].compactMap { $0?.source } })
    defer { exit.close() }
    _ = read(4321)
    #expect(entry.number(0) == 4321 && entry.number(1) != 0)
    #expect(exit.number(0) == 4321 && exit.number(1) == 4321)
  }

  @Test(.requires(.root, .fentry)) func manyTypedFunctions() throws {
    let sites = try ProbeSite.sites(of: AttachSpec("f:vfs_*"))
    let shared = try #require(ProbeSite.shared(by: sites, spec: "fentry:vfs_*"))
    let recorder = try Recorder([shared], reading: { _ in [] })
    defer { recorder.close() }
    #expect(recorder.programCount == sites.count && recorder.links.count == sites.count && sites.count >= 20)
    let before = recorder.runs
    _ = read(1)
    #expect(recorder.runs > before)
  }

  @Test(.requires(.root, .kprobes)) func manyFunctions() throws {
    let sites = try ProbeSite.sites(of: AttachSpec("k:vfs_*"))
    let shared = try #require(ProbeSite.shared(by: sites, spec: "kprobe:vfs_*"))
    #expect(shared.targets.count >= 30)
    let recorder = try Recorder([shared], reading: { _ in [] })
    defer { recorder.close() }
    let isOne = KernelFeatures.kprobeMulti.isAvailable
    #expect(recorder.links.count == (isOne ? 1 : sites.count) && recorder.programCount == 1)
    let before = recorder.runs
    _ = read(1)
    #expect(recorder.runs >= before + 2, "vfs_open and vfs_read")
  }

  /// The VM's file system is a module's.
  @Test(.requires(.root, .kprobes)) func functionsOfModules() throws {
    guard let sites = try? ProbeSite.sites(of: AttachSpec("k:p9_client_*")),
      let shared = ProbeSite.shared(by: sites, spec: "kprobe:p9_client_*")
    else { return }
    let recorder = try Recorder([shared], reading: { _ in [] })
    defer { recorder.close() }
    #expect(!recorder.links.isEmpty)
    print("kprobe.multi: \(KernelFeatures.kprobeMulti.reason ?? "available"), \(sites.count) functions")
  }

  @Test(.requires(.root, .kprobes)) func functionsThatAreNotThere() throws {
    let error = try failure { _ = try ProbeSite.sites(of: AttachSpec("k:vsf_*")) }
    #expect(error.code == .unsupported && error.message.contains("did you mean 'vfs_*'?"))
    let unknown = try failure { _ = try Recorder("k:vfs_raed", []) }
    #expect(unknown.message.contains("did you mean 'vfs_read'?"))
  }

  @Test(.requires(.root, .fentry)) func typedFunctionsThatAreNotThere() throws {
    let error = try failure { _ = try ProbeSite.sites(of: AttachSpec("f:vfs_raed")) }
    #expect(error.message.contains("did you mean 'vfs_read'?"))
  }

  @Test(.requires(.root, .kprobes)) func systemCalls() throws {
    let recorder = try Recorder(
      ProbeSite.sites(of: AttachSpec("kretsyscall:getpgid")), reading: { $0.result.map { [$0.source] } ?? [] })
    defer { recorder.close() }
    _ = getpgid(-1)
    #expect(recorder.number(0) == Int64(-ESRCH) || recorder.number(0) == Int64(-EINVAL))
  }
}
