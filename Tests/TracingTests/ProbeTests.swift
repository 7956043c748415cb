import BTF
import FileTestSupport
import Glibc
import KernelLoader
import KernelTestSupport
import ProbeCompiler
import Support
import Testing

@testable import Tracing

/// Programs read arguments through contexts on events that the test makes itself.
@Suite(.requires(.root)) struct ProbeTests {
  @Test func tracepointArguments() throws {
    let recorder = try Recorder("t:syscalls:sys_enter_openat", ["dfd", "filename", "flags", "mode"])
    defer { recorder.close() }
    let path = try #require(strdup("/no/such/file"))
    defer { free(path) }
    _ = openat(AT_FDCWD, path, O_RDWR | O_CREAT, 0o640)
    #expect(recorder.number(0) == -100)
    #expect(recorder.number(1) == Int64(Int(bitPattern: path)))
    #expect(recorder.number(2) & 0xfff == Int64(O_RDWR | O_CREAT))
    #expect(recorder.number(3) == 0o640)
    #expect(recorder.runs == 1)
  }

  @Test func textThatAnEventLocates() throws {
    let directory = try TemporaryDirectory()
    defer { withExtendedLifetime(directory) {} }
    let path = directory.path("known-program")
    try #require(symlink("/bin/true", path) == 0)
    let recorder = try Recorder("t:sched:sched_process_exec", ["filename", "pid"], thread: nil)
    defer { recorder.close() }
    // Other processes start programs too; the one seen last is soon ours.
    var seen = ""
    for _ in 0..<200 where seen != path {
      _ = system(path)
      seen = recorder.text(0)
    }
    #expect(seen == path && recorder.number(1) > 0)
  }

  @Test func textInsideOfAnEvent() throws {
    let recorder = try Recorder("t:sched:sched_switch", ["prev_comm", "prev_pid"])
    defer { recorder.close() }
    while recorder.runs == 0 { usleep(1000) }
    let name = try readFile("/proc/thread-self/comm").dropLast()
    #expect(recorder.text(0) == String(decoding: name, as: UTF8.self))
    #expect(recorder.number(1) == Int64(thisThread()))
  }

  @Test(arguments: ["rt:sys_enter", "tp_btf:sys_enter"]) func rawTracepointArguments(_ spec: String) throws {
    let recorder = try Recorder(spec, ["id", "regs"])
    defer { recorder.close() }
    _ = getppid()
    // At once: whatever this thread asks of the kernel next is recorded too.
    let (id, registers) = (recorder.number(0), recorder.number(1))
    #expect(id == 110 && registers != 0)
  }

  @Test func addressesOfFaults() throws {
    let recorder = try Recorder("software:page-faults:1", ["sample_period", "addr"])
    defer { recorder.close() }
    let size = 100 * 4096
    let pages = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(pages, size) }
    madvise(pages, size, MADV_NOHUGEPAGE)
    // The code that looks may have to come into memory itself; then the next page tells.
    var (address, seen) = (Int64(0), Int64(-1))
    for offset in stride(from: 8, to: size, by: 4096) where seen != address {
      pages.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
      seen = recorder.number(1)
      address = Int64(Int(bitPattern: pages) + offset)
    }
    #expect(seen == address)
    #expect(recorder.number(0) == 1)
  }

  @Test func userFunctions() throws {
    let entry = try Recorder(
      ProbeSite.sites(of: AttachSpec("u:libc:labs")), reading: { [$0.positional[0]] }, pid: getpid())
    defer { entry.close() }
    let exit = try Recorder(
      ProbeSite.sites(of: AttachSpec("ur:libc:labs")), reading: { $0.result.map { [$0.source] } ?? [] })
    defer { exit.close() }
    _ = callLabs(-41)
    #expect(entry.number(0) == -41 && entry.runs == 1)
    #expect(exit.number(0) == 41 && exit.runs == 1)
  }

  /// Calls through the library: the compiler would compute it itself.
  private func callLabs(_ value: Int) -> Int {
    typealias Function = @convention(c) (Int) -> Int
    guard let symbol = dlsym(nil, "labs") else { return 0 }
    return unsafeBitCast(symbol, to: Function.self)(value)
  }

  @Test func iterators() throws {
    let recorder = try Recorder("iter:task", ["task"], thread: nil, pid: getpid())
    defer { recorder.close() }
    _ = try recorder.links[0].readIterator()
    #expect(recorder.runs >= 2, "one run for a task, one at the end")
    let files = try Recorder("iter:task_file", ["fd", "file"], thread: nil, pid: getpid())
    defer { files.close() }
    _ = try files.links[0].readIterator()
    #expect(files.runs >= 4)
  }

  @Test func manyTracepoints() throws {
    let sites = try ProbeSite.sites(of: AttachSpec("t:syscalls:sys_enter_getp*id"))
    let site = try #require(ProbeSite.shared(by: sites, spec: "tracepoint:syscalls:sys_enter_getp*id"))
    let recorder = try Recorder([site], reading: { [$0.arguments[0].source] })
    defer { recorder.close() }
    #expect(recorder.programCount == 1 && recorder.links.count == sites.count && sites.count >= 3)
    let before = recorder.runs
    _ = getppid()
    #expect(recorder.number(0) == 110 && recorder.runs == before + 1)
    _ = getpgid(0)
    #expect(recorder.number(0) == 121 && recorder.runs == before + 2)
  }
}
