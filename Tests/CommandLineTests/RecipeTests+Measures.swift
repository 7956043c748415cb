import Glibc
import KernelTestSupport
import Support
import Testing

/// The recipes that count and measure.
extension RecipeTests {
  // MARK: syscount

  @Test(arguments: [["-p", "%", "-f", "json", "syscount", "-T", "100"], ["-f", "json", "syscount", "-p", "%"]])
  func callsAreCountedExactly(options: [String]) throws {
    let rows = try records(trace(options, workload: "getppid", "12345"))
    #expect(rows.first == .object(["syscall": .text("getppid"), "count": .integer(12345)]))
    let counts = rows.compactMap { $0["count"]?.integer }
    #expect(counts == counts.sorted(by: >))
  }

  @Test func latencies() throws {
    let rows = try records(trace(["-p", "%", "-f", "json", "syscount", "-L"], workload: "sleep", "50"))
    let first = try #require(rows.first)
    #expect(first["syscall"]?.text == "clock_nanosleep")
    #expect(first["count"]?.integer == 50)
    let total = try #require(first["total_us"]?.integer)
    let average = try #require(first["avg_ns"]?.integer)
    #expect(average >= 1_000_000)
    #expect((total...total + 1).contains(average * 50 / 1000) || average * 50 / 1000 == total - 1)
  }

  @Test func callsByProcess() throws {
    let run = try trace(["-f", "csv", "syscount", "-P", "-T", "1", "-p", "%"], workload: "getppid", "5000")
    try #require(run.lines.count == 2, "\(run.output)")
    #expect(run.lines[0] == "pid,comm,count")
    let fields = run.lines[1].split(separator: ",")
    #expect(fields[1] == "workload")
    #expect((5000..<6000).contains(Int(fields[2]) ?? 0))
  }

  @Test func callsByProcessAndLatencyAsATable() throws {
    let run = try trace(["-p", "%", "syscount", "-P", "-L"], workload: "getppid", "5000")
    #expect(words(run.lines.first) == ["PID", "COMM", "COUNT", "TOTAL_US", "AVG_NS"])
    let row = try #require(run.lines.map(words).first { $0[1] == "workload" })
    #expect((5000..<6000).contains(Int(row[2]) ?? 0))
  }

  @Test func callsByInterval() throws {
    let options = ["-p", "%", "-f", "json", "syscount", "-i", "50ms"]
    let rows = try records(trace(options, workload: "getppid", "1000000")).filter { $0["syscall"] == .text("getppid") }
    #expect(rows.count > 1)
    #expect(rows.allSatisfy { $0["time"]?.text?.wholeMatch(of: /\d\d:\d\d:\d\d/) != nil })
    let sum = rows.reduce(0) { $0 + ($1["count"]?.integer ?? 0) }
    #expect(sum == 1_000_000)
  }

  // MARK: runqlat

  /// The rows of a histogram, proven to be closed ranges of powers of two without a gap.
  private func buckets(_ value: JSON?) throws -> [(min: Int64, max: Int64, count: Int64)] {
    let rows = try #require(value?.list).map {
      (
        min: try #require($0["min"]?.integer), max: try #require($0["max"]?.integer),
        count: try #require($0["count"]?.integer)
      )
    }
    for row in rows { #expect(row.max == max(0, 2 * row.min - 1)) }
    for (row, next) in zip(rows, rows.dropFirst()) { #expect(row.max + 1 == next.min) }
    return rows
  }

  @Test(arguments: [[], ["-m"]]) func everyWaitIsCounted(unit: [String]) throws {
    let start = ContinuousClock.now
    let child = try GatedProcess(Self.workload, ["sleep", "200"])
    let process = try MoontraceProcess(["run", "-p", "\(child.pid)", "-f", "json", "runqlat"] + unit)
    try process.waitForAttached()
    try child.open()
    let run = try process.wait()
    let aggregate = try #require(try records(run).first)
    #expect(run.lines.count == 1)
    #expect(aggregate["aggregate"]?.text == "runqlat" && aggregate["type"]?.text == "hist")
    let data = try #require(aggregate["data"]?.list)
    #expect(data.map { $0["key"] } == [.list([])])
    let rows = try buckets(data.first?["value"])
    let total = rows.reduce(0) { $0 + $1.count }
    // One wait for each time that it lost the CPU while it slept, and a few for its start and end; but a task that is
    // woken before it has quite left the CPU does not wait.
    let switches = try #require(Int64(try child.output().trimming))
    #expect((switches * 9 / 10...switches + 200).contains(total))
    #expect(total > 100)
    let waited = rows.reduce(0) { $0 + $1.min * $1.count }
    #expect((unit == ["-m"] ? .milliseconds(waited) : .microseconds(waited)) < ContinuousClock.now - start)
  }

  @Test func waitsByProcess() throws {
    let run = try trace(["-f", "json", "runqlat", "-P", "-p", "%"], workload: "sleep", "100")
    let data = try #require(try records(run).first?["data"]?.list)
    // It begins as a shell.
    let own = try #require(data.first { $0["key"]?.list?.last == .text("workload") })
    #expect(try buckets(own["value"]).reduce(0) { $0 + $1.count } > 50)
  }

  @Test func waitsByInterval() throws {
    let options = ["-p", "%", "-f", "json", "runqlat", "-i", "50ms"]
    let aggregates = try records(trace(options, workload: "sleep", "300"))
    #expect(aggregates.count > 2)
    let total = try aggregates.reduce(Int64(0)) { sum, aggregate in
      // A machine that is busy with other tests may leave an interval without any.
      guard let value = aggregate["data"]?.list?.first?["value"] else { return sum }
      return try buckets(value).reduce(sum) { $0 + $1.count }
    }
    #expect(total > 150)
  }

  @Test func waitsAsPictureAndCSV() throws {
    let table = try trace(["-p", "%", "runqlat", "-m"], workload: "sleep", "20")
    #expect(table.lines.first?.hasPrefix("msecs") == true)
    #expect(table.lines.first?.hasSuffix("count  distribution") == true)
    #expect(table.lines.dropFirst().allSatisfy { $0.wholeMatch(of: /\s*\d+ -> \d+\s+:\s+\d+  \|\**\s*\|/) != nil })
    let csv = try trace(["-p", "%", "-f", "csv", "runqlat", "-P"], workload: "sleep", "20")
    #expect(csv.lines.first == "aggregate,key,min,max,count")
    #expect(csv.lines.dropFirst().allSatisfy { $0.wholeMatch(of: /runqlat,"\d+, (sh|workload)",\d+,\d+,\d+/) != nil })
  }

  // MARK: profile

  private func samples(_ rows: [JSON], in function: String = "") -> Int64 {
    rows.filter { $0["stack"]?.text?.contains(function) ?? false || function == "" }
      .reduce(0) { $0 + ($1["count"]?.integer ?? 0) }
  }

  @Test(.requires(.nativeSpeed)) func theBusyFunctionHasTheSamples() throws {
    let rows = try records(trace(["-p", "%", "-f", "json", "profile"], workload: "spin", "1"))
    #expect(
      rows.allSatisfy { $0["stack"]?.text?.hasPrefix("workload") == true || $0["stack"]?.text?.hasPrefix("sh") == true }
    )
    #expect((70..<140).contains(samples(rows)), "99 a second are wanted: \(rows)")
    #expect(samples(rows, in: ";main;spin;workload_spin") > samples(rows) * 3 / 4)
    // The C library's start code has no public name; it is named by its file, which adds stacks of many runs up.
    #expect(rows.contains { $0["stack"]?.text?.hasPrefix("workload;[libc.so.6];main;spin;") == true }, "\(rows)")
  }

  /// A profile of the machine sees the tracer too, which must not be what it shows. Other tests run moontrace, too, so
  /// this one has a name of its own.
  @Test(.requires(.nativeSpeed)) func theTracerIsASmallPart() throws {
    let directory = try TemporaryDirectory()
    let name = "own\(getpid())"
    try check("symlink") { symlink(MoontraceProcess.executable, directory.path(name)) }
    let load = try HeldWorkload("spin", "1")
    let arguments = ["run", "-f", "json", "profile"]
    let process = try MoontraceProcess(arguments, executable: directory.path(name))
    try process.waitForAttached()
    try load.run()
    let rows = try records(process.interrupt())
    let own = samples(rows.filter { $0["stack"]?.text?.hasPrefix(name) == true })
    let all = samples(rows)
    #expect(all > 50 && own * 10 < all, "\(own) of \(all)")
  }

  @Test(.requires(.nativeSpeed)) func theFrequencyIsKept() throws {
    let run = try trace(["profile", "-F", "499", "-U", "-p", "%"], workload: "spin", "0.5")
    #expect(run.lines.allSatisfy { $0.wholeMatch(of: /[^;]+(;[^;]+)* \d+/) != nil })
    #expect(run.lines.allSatisfy { !$0.contains("asm_") && !$0.contains("entry_SYSCALL_64") })
    let counts = run.lines.filter { $0.contains(";workload_spin ") }.compactMap { Int(words($0).last ?? "") }
    #expect((170..<330).contains(counts.reduce(0, +)), "\(run.output)")
  }

  @Test func kernelStacksOnly() throws {
    let options = ["-p", "%", "-f", "csv", "profile", "-K", "-F", "999"]
    let run = try trace(options, workload: "getppid", "500000")
    #expect(run.lines.first == "stack,count")
    #expect(run.lines.contains { $0.hasPrefix("workload;entry_SYSCALL_64_after_hwframe;do_syscall_64") })
    #expect(run.lines.allSatisfy { !$0.contains(";main") })
  }
}
