import Glibc
import KernelTestSupport
import Support
import Testing

/// `moontrace trace`, from the command line to the kernel and back.
@Suite(.requires(.root, .typeInformation))
struct TraceTests {
  private let workload: Workload

  init() throws {
    workload = try Workload()
  }

  private func trace(_ action: String, _ words: String...) throws -> MoontraceProcess.Finished {
    try MoontraceProcess(["trace"] + words + ["-c", "\(workload.path) \(action) >/dev/null"]).wait()
  }

  private static let getppid = "t:syscalls:sys_enter_getppid"

  private var filter: String { "comm == '\(workload.name)'" }

  @Test func eventsHaveAColumnForEachExpression() throws {
    let run = try trace("getppid 3", Self.getppid, "--if", filter, "comm, pid // pid, #comm", "-f", "csv")
    #expect(
      run.lines == ["comm,pid//pid,#comm"] + Array(repeating: "\(workload.name),1,\(workload.name.count)", count: 3))
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
  }

  @Test func aggregatesCount() throws {
    let run = try trace("getppid 30", "--if", filter, Self.getppid, "count(comm)", "-f", "json")
    #expect(
      run.output
        == "{\"aggregate\":\"count\",\"type\":\"count\",\"data\":[{\"key\":[\"\(workload.name)\"],\"value\":30}]}\n",
      "\(run.errors)")
  }

  @Test func actionsShareMaps() throws {
    let run = try trace(
      "getppid 30", "-f", "json", "--if", filter, Self.getppid, "start[tid] = nsecs", "t:syscalls:sys_exit_getppid",
      "if start[tid] then stats(nsecs - start[tid]) start[tid] = nil end")
    let value = try JSON(try #require(run.lines.first))["data"]?.list?.first?["value"]
    #expect(value?["count"]?.integer == 30 && (value?["min"]?.integer ?? 0) > 0, "\(run.output) \(run.errors)")
    #expect(run.lines.count == 1, "the map is empty again and no result")
  }

  @Test func whatIsKeptIsShownAtTheEnd() throws {
    let run = try trace(
      "getppid 30", "--if", filter, Self.getppid,
      "calls = calls + 1 seen = true last[{ comm, calls % 2 }] = calls", "-f", "json")
    #expect(
      run.lines == [
        "{\"comm\":\"\(workload.name)\",\"calls%2\":0,\"last\":30}",
        "{\"comm\":\"\(workload.name)\",\"calls%2\":1,\"last\":29}", "{\"calls\":30,\"seen\":true}",
      ], "\(run.output) \(run.errors)")
  }

  @Test func comparisonsAreKeptAsTruths() throws {
    let run = try trace(
      "getppid 3", "--if", filter, Self.getppid, "calls = calls + 1 odd = calls % 2 == 1", "-f", "json")
    #expect(run.lines == ["{\"calls\":3,\"odd\":true}"], "\(run.output) \(run.errors)")
  }

  @Test func severalProbesShareAnAction() throws {
    let run = try trace(
      "getppid 5", "--if", filter, "\(Self.getppid),t:syscalls:sys_exit_getppid", "count(probe)", "-f", "json")
    let rows = try JSON(try #require(run.lines.first))["data"]?.list ?? []
    #expect(rows.compactMap { $0["value"]?.integer } == [5, 5], "\(run.output) \(run.errors)")
  }

  @Test func optionsMayStandAnywhere() throws {
    let run = try moontrace(
      "trace", Self.getppid, "-n", "2", "pid", "--format", "json", "t:syscalls:sys_exit_getppid", "-d", "10", "pid",
      "-c",
      "\(workload.path) getppid 100 >/dev/null")
    #expect(run.status == 0 && run.lines.count == 2, "\(run.output) \(run.errors)")
  }

  @Test func columnsAreNamedInTables() throws {
    let run = try trace("getppid 1", Self.getppid, "--if", filter, "{ who = comm, twice = 2 * 21 }")
    #expect(run.lines.map { $0.split(separator: " ").map(String.init) } == [["WHO", "TWICE"], [workload.name, "42"]])
  }

  // MARK: Mistakes

  @Test(
    arguments: [
      ([], 2, "moontrace: trace: there is nothing to trace"),
      ([getppid], 2, "moontrace: trace: probe 1 '\(getppid)' has no action"),
      (
        ["t:syscalls:sys_enter_getpid", "pid", "t:syscalls:sys_enter_getpit", "pid"], 4,
        "trace: probe 2: this kernel has no tracepoint syscalls:sys_enter_getpit (did you mean 'sys_enter_getpid'?)"
      ),
      (
        [getppid, "pid", "t:syscalls:sys_exit_openat", "comm, args.rt + 1"], 1,
        "trace: action 2, column 12: tracepoint:syscalls:sys_exit_openat has no argument 'rt' (did you mean 'ret'?)"
      ),
      (
        [getppid, "--if", "args.rt > 0", "pid"], 1,
        "trace: --if of probe 1, column 6: tracepoint:syscalls:sys_enter_getppid"
      ),
      ([getppid, "pid, fo"], 1, "trace: action 1, column 6: there is no 'fo' in a probe"),
      ([getppid, "pid,"], 2, "moontrace: trace: action 1, at the end: unexpected symbol near <eof>"),
      (
        [getppid, "pid", "--fromat", "json"], 2,
        "moontrace: trace: there is no option '--fromat' (did you mean '--format'?)"
      ),
      ([getppid, "pid", "-d", "x"], 2, "moontrace: --duration: expected seconds"),
    ] as [([String], Int, String)])
  func mistakesAreToldOfTheCommandLine(_ words: [String], _ status: Int, _ message: String) throws {
    let run = try MoontraceProcess(["trace"] + words).wait()
    #expect(Int(run.status) == status)
    #expect(run.errors.hasPrefix(message), "\(run.errors)")
    #expect(!run.errors.contains("(trace)"), "\(run.errors)")
  }

  @Test func runsThatEndWithAnErrorNameTheColumn() throws {
    let run = try trace("getppid 7", "--if", filter, Self.getppid, "1 // (pid - pid)")
    #expect(run.errors == "trace: action 1, column 3: attempt to perform 'n//0' (7 runs ended here)\n")
  }

  @Test func dumpsNameTheCommandLine() throws {
    let run = try moontrace("trace", "--dump", "bpf", Self.getppid, "pid, comm")
    #expect(run.output.contains("; trace: action 1, column 6\n"), "\(run.output) \(run.errors)")
  }
}
