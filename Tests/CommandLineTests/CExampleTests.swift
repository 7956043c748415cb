import Glibc
import KernelTestSupport
import Support
import Testing

/// The programs of examples/c do what they say, each on events of the test's own.
@Suite(.requires(.root, .clang))
struct CExampleTests {
  static let directory = "\(sourceDirectory)/examples/c"

  static let names = directoryEntries(directory).filter { $0.hasSuffix(".bpf.c") }

  func path(_ name: String) -> String { "\(Self.directory)/\(name).bpf.c" }

  /// What a run says that must succeed without a word on stderr.
  func records(_ run: MoontraceProcess.Finished) throws -> [JSON] {
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return try run.lines.map { try JSON($0) }
  }

  /// Runs an example, with options before and behind it, while a command of the shell runs.
  func trace(
    _ name: String, _ arguments: String..., options: [String] = [], during command: String
  ) throws -> [JSON] {
    try records(
      MoontraceProcess(["run", "-f", "json", "-d", "60", "-c", command] + options + [path(name)] + arguments).wait())
  }

  /// Runs an example on a process (option -p) while it does its task.
  func trace(_ name: String, of load: HeldWorkload, options: [String] = []) throws -> [JSON] {
    let process = try MoontraceProcess(["run", "-f", "json"] + options + [path(name), "-p", "\(load.pid)"])
    try process.waitForAttached()
    try load.run()
    return try records(process.interrupt())
  }

  /// The rows of all showings of a map.
  func rows(_ records: [JSON]) -> [JSON] { records.flatMap { $0["data"]?.list ?? [] } }

  /// The counts of histograms, added up.
  func total(_ rows: [JSON]) -> Int64 {
    rows.flatMap { $0["value"]?.list ?? [] }.reduce(0) { $0 + ($1["count"]?.integer ?? 0) }
  }

  // MARK: What they are

  @Test(arguments: names) func buildsWithoutWarnings(name: String) throws {
    let output = try TemporaryDirectory()
    let run = try moontrace("build", "-o", output.name + "/", "\(Self.directory)/\(name)")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
  }

  @Test(arguments: names) func saysHowItIsRunAndStandsOnThePage(name: String) throws {
    let text = String(decoding: try readFile("\(Self.directory)/\(name)"), as: UTF8.self)
    #expect(text.hasPrefix("// ") && text.contains("//   moontrace run ") && text.contains(" examples/c/\(name)"))
    #expect(try MarkdownDocument("c-programs.md").text.contains("(../examples/c/\(name))"))
  }

  @Test func oneForEachKindOfProgram() throws {
    let kinds = [
      "tracepoint/", "raw_tp/", "tp_btf/", "kprobe/", "kretprobe/", "fentry/", "fexit/", "uprobe/", "usdt/",
      "perf_event", "xdp", "tc", "cgroup/", "socket", "iter/", "lsm/",
    ]
    let texts = try Self.names.map { String(decoding: try readFile("\(Self.directory)/\($0)"), as: UTF8.self) }
    for kind in kinds { #expect(texts.contains { $0.contains("\nSEC(\"\(kind)") }, "\(kind)") }
  }

  /// The program that docs/c-programs.md begins with, built and run as the page says.
  @Test func thePagesFirstProgramRuns() throws {
    let page = try MarkdownDocument("c-programs.md").text
    let program = try #require(page.split(separator: "```c\n").dropFirst().first?.split(separator: "```\n").first)
    let files = try TemporaryDirectory()
    _ = try files.write("openers.bpf.c", String(program))
    let built = try runShell("cd \(files.name) && $0 build openers.bpf.c")
    #expect(built.status == 0 && built.errors == "", "\(built.errors)")
    #expect(page.contains("$ moontrace build openers.bpf.c\n\(built.output)```"))
    for target in ["package.json", "openers.bpf.c", "openers.bpf.o"] {
      let load = try HeldWorkload("open", "/etc/hostname")
      let process = try MoontraceProcess(["run", "-f", "json", files.path(target), "--pid", "\(load.pid)"])
      try process.waitForAttached()
      try load.run()
      let event: [String: JSON] = ["pid": load.id, "comm": .text("workload"), "path": .text("/etc/hostname")]
      #expect(try records(process.interrupt()) == [.object(event)])
    }
  }

  // MARK: Tracepoints

  @Test func opens() throws {
    let workload = try Workload()
    let command = "\(workload.path) open /etc/hostname /no/such"
    func paths(_ records: [JSON]) -> [JSON] { records.filter { $0["comm"] == .text(workload.name) } }
    let all = paths(try trace("opens", during: command))
    #expect(all.contains { $0["path"] == .text("/etc/hostname") && ($0["result"]?.integer ?? -1) >= 0 }, "\(all)")
    let failed = paths(try trace("opens", "--failed", during: command))
    #expect(failed.contains { $0["path"] == .text("/no/such") && $0["result"] == .integer(Int64(-ENOENT)) })
    #expect(failed.allSatisfy { ($0["result"]?.integer ?? 0) < 0 })
    let load = try HeldWorkload("open", "/etc/hostname")
    let own = try trace("opens", of: load)
    #expect(own.map { $0["pid"] } == [load.id] && own.first?["path"] == .text("/etc/hostname"))
  }

  @Test func syscalls() throws {
    let workload = try Workload()
    // 110 is getppid.
    let calls = rows(try trace("syscalls", "-n", "110", during: "\(workload.path) getppid 100 >/dev/null"))
      .filter { $0["key"]?.list?.last == .text(workload.name) }
    #expect(calls.reduce(0) { $0 + ($1["value"]?.integer ?? 0) } == 100, "\(calls)")
  }

  @Test(.requires(.typeInformation)) func runqlat() throws {
    // Twice as many sleeps: one that ends before the CPU is left is no wait.
    let load = try HeldWorkload("sleep", "40")
    let waits = rows(try trace("runqlat", of: load))
    #expect(waits.allSatisfy { $0["key"] == .list([.text("workload")]) })
    #expect(total(waits) >= 20, "\(waits)")
  }

  // MARK: Functions

  @Test(.requires(.kprobes)) func deletes() throws {
    let files = try TemporaryDirectory()
    let file = try files.write("deleted", "")
    let records = try trace("deletes", during: "rm \(file); unlink \(file) 2>/dev/null")
    let own = records.filter { $0["path"] == .text(file) }
    #expect(own.map { $0["comm"] } == [.text("rm"), .text("unlink")])
    #expect(own.map { $0["result"] } == [.integer(0), .integer(Int64(-ENOENT))])
  }

  @Test(.requires(.fentry)) func tcptop() throws {
    let load = try HeldWorkload("tcp", "4")
    let traffic = rows(try trace("tcptop", of: load))
    func sum(_ member: String) -> Int64 { traffic.reduce(0) { $0 + ($1["value"]?[member]?.integer ?? 0) } }
    #expect(traffic.allSatisfy { $0["key"] == .list([load.id, .text("workload")]) })
    #expect(sum("sent") == 1300 && sum("received") == 1300, "\(traffic)")
  }

  /// Among what is needed to start a process are a thousand blocks of 100 bytes.
  @Test func mallocs() throws {
    let workload = try Workload()
    let name = workload.name
    let last = try #require(try trace("mallocs", "--comm", name, during: "\(workload.path) allocate").last)
    let rows = rows([last])
    #expect(rows.count == 1 && rows.first?["comm"] == .text(name), "\(rows)")
    let hundreds = rows.first?["value"]?.list?.first { $0["min"] == .integer(64) }
    #expect(hundreds?["max"] == .integer(127) && (hundreds?["count"]?.integer ?? 0) >= 1000, "\(rows)")
    #expect(try self.rows(trace("mallocs", "--comm", "nobody", during: "\(workload.path) allocate")).isEmpty)
  }

  @Test func throwsOfCPlusPlus() throws {
    let files = try TemporaryDirectory()
    let source = try files.write(
      "thrower.cpp",
      "struct odd {};\nint main() { for (int i = 0; i < 3; i++) try { throw odd(); } catch (odd) {} "
        + "try { throw 1; } catch (int) {} }\n")
    let program = files.path("thrower")
    try #require(try Subprocess("clang", [source, "-o", program, "-lstdc++"]).wait() == 0)
    let thrown = try trace("throws", during: program).filter { $0["comm"] == .text("thrower") }
    #expect(thrown.map { $0["type"] } == [.text("3odd"), .text("3odd"), .text("3odd"), .text("i")])
  }

  @Test func samples() throws {
    let workload = try Workload()
    let load = try HeldWorkload(["spin", "0.5"], path: workload.path)
    let process = try MoontraceProcess(["run", "-f", "json", path("samples"), "--comm", workload.name])
    try process.waitForAttached()
    try load.run()
    let samples = try records(process.interrupt())
    #expect(samples.count > 5 && samples.allSatisfy { $0["pid"] == load.id && $0["comm"] == .text(workload.name) })
    #expect(samples.contains { $0["ustack"]?.text?.contains("workload_spin+0x") == true }, "\(samples)")
  }

  // MARK: What is open, and what may be started

  @Test func openfiles() throws {
    let files = try TemporaryDirectory()
    let file = try files.write("held", "")
    let held = OwnedDescriptor(try check("open") { open(file, O_RDONLY | O_CLOEXEC) })
    let run = try moontrace("run", path("openfiles"), "-p", "\(getpid())")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let lines = run.lines.map { $0.split(separator: " ").map(String.init) }
    #expect(lines.first == ["PID", "COMM", "FD", "PATH"])
    #expect(lines.dropFirst().allSatisfy { $0.first == "\(getpid())" })
    #expect(lines.contains { $0.suffix(2) == ["\(held.number)", file] }, "\(run.output)")
  }

  @Test(.requires(.lsm)) func execguard() throws {
    let files = try TemporaryDirectory()
    let (good, bad) = (files.path("good"), files.path("bad"))
    let said = files.path("said")
    let copied = try runShell("cp /bin/true \(good) && cp /bin/true \(bad)")
    try #require(copied.status == 0)
    let events = try records(
      MoontraceProcess([
        "run", "-f", "json", "--allow", "kernel.write", "-c",
        "(\(good); echo $?; \(bad); echo $?) >\(said) 2>/dev/null",
        path("execguard"), "--deny", bad,
      ]).wait())
    func allowed(_ path: String) -> [JSON?] { events.filter { $0["path"] == .text(path) }.map { $0["allowed"] } }
    #expect(allowed(good) == [.boolean(true)] && allowed(bad) == [.boolean(false)])
    #expect(String(decoding: try readFile(said), as: UTF8.self) == "0\n126\n")
  }
}
