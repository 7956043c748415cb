import CLibbpf
import Glibc
import KernelTestSupport
import Support
import Testing

/// What is left in the kernel of probes in Lua when moontrace can't clean up behind itself.
@Suite(.requires(.root, .ringBuffers, .iterators, .typeInformation))
struct KillTests {
  /// Probes of each kind of attachment, with all that probes share; each of the three streams tells where it comes from.
  private static let script = """
    local seen, last, lengths = map(), map{ lru = true }, hist()
    local total = global{ calls = 0 }
    probe("tracepoint:syscalls:sys_enter_getppid", function()
      seen[tid] = (seen[tid] or 0) + 1
      total.calls = total.calls + 1
      return { call = pid }
    end)
    probe("rawtracepoint:sys_exit", function(args) last[tid] = { at = nsecs, ret = args.ret } count(comm) end)
    probe("profile:99", function() count(kstack) end)
    probe("uprobe:WORKLOAD:workload_function", function() return { argument = arg0 } end)
    probe("uretprobe:WORKLOAD:workload_function", function() lengths:add(retval) end)
    probe("iter:task", function(args) if args.task then return { task = args.task.pid } end end)
    """

  @Test func nothingOfProbesStaysAfterKill() throws {
    let caller = try Endless(["getppid", "1000000000000"]), function = try Endless(["call", "1000000000000"])
    var output = try Pipe()
    let text = Self.script.replacing("WORKLOAD", with: MoontraceProcess.workload)
    let process = try MoontraceProcess(["--format", "json", "-e", text], output: output.writing)
    output.closeWriting()
    try waitForEvents(["\"call\":\(caller.pid)}", "\"argument\":", "\"task\":"], from: output.reading)
    let own = try KernelObjects(of: process.pid)
    #expect(own.programs.count == 6)
    #expect(own.maps.count >= 6)
    #expect(own.links.count >= 5)
    process.signal(SIGKILL)
    #expect(try process.wait().status == 128 + SIGKILL)
    try own.waitUntilGone()
    withExtendedLifetime(function) {}
  }

  /// Reads until each of the texts has come.
  private func waitForEvents(_ texts: [String], from descriptor: Int32) throws {
    var missing = texts
    var rest = ""
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while !missing.isEmpty {
      let count = try check("read events") { read(descriptor, &bytes, bytes.count) }
      try #require(count > 0, "moontrace ended before \(missing) came")
      rest += String(decoding: bytes[..<Int(count)], as: UTF8.self)
      missing.removeAll { rest.contains($0) }
      rest = String(rest.split(separator: "\n", omittingEmptySubsequences: false).last ?? "")
    }
  }

  /// A workload that goes on until this value is gone.
  private final class Endless {
    let pid: pid_t

    init(_ arguments: [String]) throws {
      let sink = OwnedDescriptor(try check("open /dev/null") { open("/dev/null", O_WRONLY | O_CLOEXEC) })
      pid = try Subprocess(MoontraceProcess.workload, arguments, descriptors: [1: sink.number]).pid
    }

    deinit {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }
}

/// The BPF objects that a process has descriptors of, by their ids.
private struct KernelObjects {
  var programs: Set<UInt32> = []
  var maps: Set<UInt32> = []
  var links: Set<UInt32> = []

  init(of pid: pid_t) throws {
    for descriptor in 0..<1024 {
      guard let text = try? readFile("/proc/\(pid)/fdinfo/\(descriptor)") else { continue }
      for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
        let words = line.split(separator: ":").map(\.trimming)
        guard words.count == 2, let id = UInt32(words[1]) else { continue }
        switch words[0] {
        case "prog_id": programs.insert(id)
        case "map_id": maps.insert(id)
        case "link_id": links.insert(id)
        default: break
        }
      }
    }
  }

  /// The kernel frees objects a moment after their last user; waits for it, a minute at most.
  func waitUntilGone() throws {
    var left: [String] = []
    for _ in 0..<1200 {
      left = remaining()
      if left.isEmpty { return }
      usleep(50_000)
    }
    Issue.record("still in the kernel: \(left.joined(separator: ", "))")
  }

  private func remaining() -> [String] {
    let kinds: [(String, Set<UInt32>, (UInt32) -> Int32)] = [
      ("program", programs, bpf_prog_get_fd_by_id), ("map", maps, bpf_map_get_fd_by_id),
      ("link", links, bpf_link_get_fd_by_id),
    ]
    return kinds.flatMap { name, ids, open in
      ids.filter { id in
        let descriptor = open(id)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0
      }.map { "\(name) \($0)" }
    }
  }
}
