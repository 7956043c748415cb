import KernelTestSupport
import Support
import Testing

/// The page of `--report` about runs whose events and counts are known.
@Suite(.requires(.root))
struct ReportTests {
  private let directory: TemporaryDirectory
  private let workload: Workload

  init() throws {
    directory = try TemporaryDirectory()
    workload = try Workload()
  }

  private var path: String { directory.path("out.html") }

  /// The page about a trace of the workload.
  private func page(_ action: String, _ lua: String) throws -> (text: String, run: MoontraceProcess.Finished) {
    let run = try workload.trace(action, lua, "--report", path)
    #expect(run.status == 0, "\(run.errors)")
    let text = String(decoding: try readFile(path), as: UTF8.self)
    #expect(text.hasPrefix("<!DOCTYPE html>") && text.hasSuffix("</html>\n"))
    return (text, run)
  }

  /// What stands between a section's heading and the next section.
  private func section(_ title: String, of page: String) throws -> String {
    let parts = page.split(separator: "<section ")
    return String(try #require(parts.first { $0.contains("<h2>\(title)</h2>") }, "no section \(title)"))
  }

  /// What `ftruncate COUNT` gives, which are COUNT + 1 events.
  private static let calls = """
    probe("t:syscalls:sys_enter_ftruncate", function(args)
      if comm == "NAME" then return { comm = comm, length = args.length } end
    end)
    """

  @Test func eventsAreTables() throws {
    let (text, run) = try page("ftruncate 100", Self.calls)
    #expect(run.lines.count == 102)
    let table = try section("t:syscalls:sys_enter_ftruncate", of: text)
    #expect(table.contains("<p class=\"note\">101 events</p>"))
    #expect(table.contains("<th>comm</th><th class=\"n\">length</th>"))
    #expect(table.contains("<tr><td>\(workload.name)</td><td class=\"n\">99</td></tr>"))
    #expect(text.contains("<dt>Events</dt><dd>101</dd>") && text.contains("<dt>Lost</dt><dd>0</dd>"))
    #expect(text.contains("--report \(path)"))
  }

  /// With a handler they don't print, but the page has them.
  @Test func handledEventsAreTablesToo() throws {
    let (text, run) = try page("ftruncate 10", Self.calls + ":each(function(e) print('seen') end)")
    #expect(run.output == String(repeating: "seen\n", count: 11))
    #expect(try section("t:syscalls:sys_enter_ftruncate", of: text).contains("<p class=\"note\">11 events</p>"))
    #expect(try section("What the script printed", of: text).contains("seen\nseen\n"))
  }

  @Test func onlyTheFirstTenThousandAreKept() throws {
    let (text, _) = try page("ftruncate 24999", Self.calls)
    let table = try section("t:syscalls:sys_enter_ftruncate", of: text)
    #expect(table.contains("the first 10,000 of 25,000 events; 15,000 more are counted only"))
    #expect(table.split(separator: "<tr>").count == 10_002)
    #expect(try section("Events over time", of: text).contains("25,000 events"))
  }

  @Test func lossesAreMarked() throws {
    let script = try directory.write("x.lua", Self.calls.replacing("NAME", with: workload.name))
    let run = try moontrace(
      "--buffer", "4K", "-n", "100000000", "--report", path, "-c", "\(workload.path) ftruncate 200000", script)
    let text = String(decoding: try readFile(path), as: UTF8.self)
    #expect(run.errors.contains("lost "), "nothing was lost")
    #expect(try section("Events over time", of: text).contains("were lost where the charts are red"))
    #expect(!text.contains("<dt>Lost</dt><dd>0</dd>"))
  }

  @Test func aggregatesArePictures() throws {
    let (text, _) = try page(
      "ftruncate 100",
      """
      local calls, lengths, by_length, stacks = count(), hist(), stats(), count()
      probe("t:syscalls:sys_enter_ftruncate", function(args)
        if comm ~= "NAME" then return end
        calls[comm]:add(1) lengths:add(args.length) by_length[comm]:add(args.length) stacks[kstack]:add(1)
      end)
      at_exit(function() lengths:print{ unit = "bytes", title = "lengths <b>" } calls:print() end)
      """)
    #expect(try section("calls", of: text).contains("<td>\(workload.name)</td><td class=\"n\" data-v=\"101\">101</td>"))
    #expect(try section("lengths &lt;b&gt;", of: text).contains("[ 64 B, 128 B)</td><td class=\"n\">36</td>"))
    #expect(try section("by_length", of: text).contains("data-v=\"5950\">5950</td>"))
    #expect(try section("Flame graph: stacks", of: text).contains("do_syscall_64\n101 samples, 100%"))
  }

  /// What a script takes away each interval is put together again.
  @Test(arguments: ["a:print() a:clear() h:clear()", "a:drain() h:drain()"])
  func intervalsAddUp(_ takes: String) throws {
    let (text, _) = try page(
      "getppid 500000",
      """
      local a, h = stats(), hist()
      probe("t:syscalls:sys_enter_getppid", function()
        if comm == "NAME" then a[comm]:add(3) h[comm]:add(5) end
      end)
      every(0.02, function() \(takes) end)
      """)
    let row = try section("a", of: text)
    #expect(row.contains("data-v=\"500000\">500000</td>") && row.contains("data-v=\"1500000\">1500000</td>"))
    #expect(try section("h = \(workload.name)", of: text).contains("<td class=\"n\">500,000</td>"))
  }

  @Test func aScriptWithoutProbesHasItsText() throws {
    let run = try moontrace("--report", path, "-e", "emit{ a = 1 } print('plain')")
    #expect(run.status == 0)
    let text = String(decoding: try readFile(path), as: UTF8.self)
    #expect(try section("What the script printed", of: text).contains("plain"))
  }

  /// A run that never began leaves no page, and no other file.
  @Test(arguments: [["-e", "error('no')"], ["profile", "--help"], ["--dump", "bpf", "-e", "print(1)"]])
  func failedRunsLeaveNoPage(_ arguments: [String]) throws {
    _ = try MoontraceProcess(["--report", path] + arguments).wait()
    #expect((try? readFile(path)) == nil)
  }

  @Test func formatsStayTheSame() throws {
    for format in ["json", "csv", "table"] {
      let options = ["-f", format, "-e", "emit{ a = 1, b = 'x' } printf('%d\\n', 3)"]
      let (plain, reported) = (
        try MoontraceProcess(options).wait(), try MoontraceProcess(["--report", path] + options).wait()
      )
      #expect(plain.output == reported.output && plain.status == reported.status)
    }
  }
}
