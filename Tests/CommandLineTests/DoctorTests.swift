import CLibbpf
import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// `moontrace doctor`: what it says holds, whoever asks, and it leaves nothing behind.
@Suite struct DoctorTests {
  /// A report as programs read it.
  private struct Report {
    let json: JSON

    init(_ text: String) throws {
      #expect(text.hasSuffix("}\n"))
      json = try JSON(String(text.dropLast()))
    }

    var checks: [JSON] { json["checks"]?.list ?? [] }

    func check(_ name: String) throws -> JSON {
      try #require(checks.first { $0["name"]?.text == name }, "no check '\(name)'")
    }

    func works(_ name: String) throws -> Bool { try check(name)["ok"] == .boolean(true) }

    func reason(_ name: String) throws -> String { try check(name)["reason"]?.text ?? "" }
  }

  // MARK: The report

  @Test(.requires(.root)) func theReportForPeople() throws {
    let run = try moontrace("doctor")
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.hasPrefix("kernel    \(SystemFacts.read().release) "))
    #expect(run.lines.contains { $0.hasPrefix("  yes tracepoint") })
    #expect(run.lines.last?.hasSuffix("Scripts on tracepoints can run here.") == true)
    #expect(!run.output.contains("\u{1b}"))
    #expect(run.lines.allSatisfy { $0.count < 200 })
  }

  @Test(.requires(.root)) func theReportForPrograms() throws {
    let run = try moontrace("doctor", "--format", "json")
    let report = try Report(run.output)
    #expect(run.status == 0 && report.json["ready"] == .boolean(true))
    #expect(report.json["release"]?.text == SystemFacts.read().release && report.json["uid"]?.integer == 0)
    for name in [
      "architecture", "lockdown", "bpf_jit_enable", "unprivileged_bpf_disabled", "perf_event_paranoid",
      "kptr_restrict",
    ] { #expect(report.json[name] != nil, "\(name)") }
    for check in report.checks {
      guard case .object(let fields) = check else { throw JSON.Malformed(description: "\(check)") }
      #expect(Set(fields.keys) == ["name", "group", "ok", "detail", "reason", "remedy"])
      #expect((check["ok"] == .boolean(true)) == (check["reason"] == .null), "\(check)")
    }
    let text = try moontrace("doctor").output
    for check in report.checks {
      let word = check["ok"] == .boolean(true) ? "yes" : "no "
      #expect(text.contains("\n  \(word) \(check["name"]?.text ?? "?")"), "\(check)")
    }
  }

  @Test(.requires(.root)) func itAgreesWithTheLoader() throws {
    let report = try Report(try moontrace("doctor", "-f", "json").output)
    #expect(try report.works("kprobe") == KernelFeatures.kprobes.isAvailable)
    #expect(try report.works("fentry") == KernelFeatures.fentry.isAvailable)
    #expect(try report.works("uprobe") == KernelFeatures.uprobes.isAvailable)
    #expect(try report.works("ringbuf") == KernelFeatures.ringBuffers.isAvailable)
    #expect(try report.works("hardware") == KernelFeatures.hardwareCounters.isAvailable)
    for name in ["CAP_BPF", "CAP_NET_ADMIN", "CAP_SYS_RESOURCE"] {
      let capability = try #require(ProcessCapability.allCases.first { $0.description == name })
      #expect(try report.works(name) == capability.isCovered(by: ProcessCapability.effective()))
    }
  }

  @Test(
    .requires(.root),
    arguments: [
      ("kprobe", "kprobe/do_unlinkat"), ("fentry", "fentry/do_unlinkat"), ("lsm", "lsm/file_open"),
      ("tracepoint", "tp/sched/sched_switch"), ("rawtracepoint", "raw_tp/sched_switch"),
      ("tp_btf", "tp_btf/sched_switch"),
    ])
  func itAgreesWithScripts(name: String, section: String) throws {
    let report = try Report(try moontrace("doctor", "-f", "json").output)
    let script = """
      local o = bpf.compile [[
        #include "vmlinux.h"
        #include <bpf/bpf_helpers.h>
        char LICENSE[] SEC("license") = "GPL";
        SEC("\(section)") int f(void *ctx) { return 0; }
      ]]
      o:load() o:attach() exit(0)
      """
    let run = try moontrace("--allow", "kernel.write", "-e", script)
    #expect(try report.works(name) == (run.status == 0), "\(run.errors)")
  }

  @Test func clangThatIsNotThere() throws {
    let run = try moontrace("doctor", "-f", "json", environment: ["MOONTRACE_CLANG=/no/such/clang"])
    #expect(try Report(run.output).reason("clang").contains("/no/such/clang"))
  }

  // MARK: Those who may less

  /// Runs a command that ends in running moontrace, whose place is `$0`.
  private func shell(_ command: String, program: String = MoontraceProcess.executable) throws
    -> (status: Int32, output: String, errors: String)
  {
    let directory = try TemporaryDirectory()
    let line = "(\(command)) >\(directory.path("out")) 2>\(directory.path("err"))"
    let status = try Subprocess("/bin/sh", ["-c", line, program]).wait()
    func text(_ name: String) throws -> String { String(decoding: try readFile(directory.path(name)), as: UTF8.self) }
    return (status, try text("out"), try text("err"))
  }

  @Test(.requires(.root)) func aUserWithoutRights() throws {
    let directory = try TemporaryDirectory()
    try check("open the directory") { chmod(directory.name, 0o755) }
    let program = directory.path("moontrace")
    try #require(try Subprocess("/bin/cp", [MoontraceProcess.executable, program]).wait() == 0)
    let run = try shell(
      "setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \"$0\" doctor -f json",
      program: program)
    let report = try Report(run.output)
    #expect(run.status == 3 && report.json["ready"] == .boolean(false) && report.json["uid"]?.integer == 65534)
    #expect(run.errors.hasPrefix("moontrace: scripts on tracepoints can't run here: "))
    #expect(run.errors.contains("CAP_BPF and CAP_PERFMON missing (run as root)"))
    #expect(try !report.works("CAP_BPF") && !report.works("CAP_SYS_ADMIN"))
    for name in ["ringbuf", "batches", "tracepoint", "xdp", "tcx"] {
      #expect(try report.reason(name).contains("CAP_BPF and CAP_PERFMON missing"))
    }
    #expect(try report.check("uprobe")["remedy"]?.text == "run as root")
    #expect(try report.works("btf"))
  }

  @Test(.requires(.root)) func rootWithoutSomeRights() throws {
    let lost = "-net_admin,-sys_admin"
    let run = try shell("setpriv --inh-caps=\(lost) --bounding-set=\(lost) \"$0\" doctor -f json")
    let report = try Report(run.output)
    // Debian's kernels have a level 3 that leaves perf events, and tracepoints with them, to CAP_SYS_ADMIN (6.1) or not.
    let mayOpenEvents = try report.works("tracepoint")
    #expect(mayOpenEvents || (report.json["perf_event_paranoid"]?.integer ?? 2) > 2)
    #expect(run.status == (mayOpenEvents ? 0 : 3) && report.json["ready"] == .boolean(mayOpenEvents))
    #expect(try !report.works("CAP_NET_ADMIN") && report.works("CAP_BPF"))
    #expect(try report.reason("xdp").contains("CAP_SYS_ADMIN and CAP_NET_ADMIN missing"))
  }

  @Test(.requires(.root)) func tracefsThatIsNotMounted() throws {
    let command = "umount -a -t tracefs; \"$0\" doctor -f json"
    let mounting = try shell("unshare -m sh -c '\(command)' \"$0\"")
    let report = try Report(mounting.output)
    #expect(mounting.status == 0)
    #expect(try report.works("tracepoint"))
    #expect(try report.check("tracefs")["detail"]?.text?.contains("moontrace mounts it") == true)
    let weak = "umount -a -t tracefs; setpriv --inh-caps=-sys_admin --bounding-set=-sys_admin \"$0\" doctor -f json"
    let withoutRights = try shell("unshare -m sh -c '\(weak)' \"$0\"")
    let other = try Report(withoutRights.output)
    #expect(withoutRights.status == 3)
    #expect(try other.reason("tracepoint").contains("tracefs is not mounted"))
    #expect(try other.check("tracefs")["remedy"]?.text?.contains("mount -t tracefs") == true)
    #expect(try other.works("rawtracepoint"))
  }

  // MARK: How it behaves

  @Test(.requires(.root)) func nothingStaysLoaded() throws {
    let process = try MoontraceProcess(["doctor"])
    let name = "trial_\(process.pid)"
    #expect(try process.wait().status == 0)
    for _ in 0..<1000 where Self.isLoaded(name) { usleep(10_000) }  // the kernel frees programs when it has time
    #expect(!Self.isLoaded(name))
  }

  private static func isLoaded(_ name: String) -> Bool {
    var id: UInt32 = 0
    while bpf_prog_get_next_id(id, &id) == 0 {
      let opened = bpf_prog_get_fd_by_id(id)
      if opened < 0 { continue }
      let program = OwnedDescriptor(opened)
      var info = bpf_prog_info()
      var length = UInt32(MemoryLayout<bpf_prog_info>.size)
      guard bpf_obj_get_info_by_fd(program.number, &info, &length) == 0 else { continue }
      if withUnsafeBytes(of: info.name, { $0.starts(with: Array(name.utf8) + [0]) }) { return true }
    }
    return false
  }

  @Test func wrongArguments() throws {
    for (arguments, part) in [(["--format", "yaml"], "yaml"), (["kprobe"], "kprobe"), (["--json"], "--json")] {
      let run = try MoontraceProcess(["doctor"] + arguments).wait()
      #expect(run.status == 2 && run.output == "" && run.errors.contains(part), "\(run.errors)")
    }
  }

  @Test func help() throws {
    let run = try moontrace("doctor", "--help")
    #expect(run.status == 0 && run.output.contains("--format json prints one object"))
    #expect(try moontrace("--help").output.contains("doctor"))
  }

  @Test(.requires(.root)) func coloursOnATerminalOnly() throws {
    #expect(try terminalOutput(["NO_COLOR="]).contains("\u{1b}[32myes\u{1b}[0m tracepoint"))
    let plain = try terminalOutput(["NO_COLOR=1"])
    #expect(plain.contains("yes tracepoint") && !plain.contains("\u{1b}"))
  }

  /// What the doctor writes to a terminal.
  private func terminalOutput(_ environment: [String]) throws -> String {
    let terminal = OwnedDescriptor(try check("open a terminal") { open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) })
    // TIOCSPTLCK and TIOCGPTN of asm-generic/ioctls.h, as grantpt(3) and ptsname(3), which Swift does not see, use them.
    var (isLocked, number): (Int32, UInt32) = (0, 0)
    try check("unlock the terminal") { ioctl(terminal.number, 0x4004_5431, &isLocked) }
    try check("name the terminal") { ioctl(terminal.number, 0x8004_5430, &number) }
    let path = "/dev/pts/\(number)"
    let process: MoontraceProcess
    do {
      let end = OwnedDescriptor(try check("open \(path)") { open(path, O_RDWR | O_NOCTTY | O_CLOEXEC) })
      process = try MoontraceProcess(
        ["doctor"], environment: ["TERM=xterm"] + environment, output: end.number)
    }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = read(terminal.number, &buffer, buffer.count), count > 0 { output += buffer.prefix(count) }
    #expect(try process.wait().status == 0)
    return String(decoding: output, as: UTF8.self)
  }
}
