import Glibc
import KernelTestSupport
import Support
import Testing

/// What a terminal gets that a pipe does not: colours and a status line.
@Suite(.requires(.root, .tmux))
struct TerminalTests {
  private let directory: TemporaryDirectory
  private let workload: Workload

  init() throws {
    directory = try TemporaryDirectory()
    workload = try Workload()
  }

  private var moontrace: String { MoontraceProcess.executable }

  /// The command line that runs a script under `name`; short enough for one line of the window.
  private func command(_ options: String, _ lua: String) throws -> String {
    let path = try directory.write("x.lua", lua.replacing("NAME", with: workload.name))
    let run = try directory.write("run", "exec \(moontrace) \(options) \(path)\n")
    return "sh \(run)"
  }

  private static let events = """
    probe("t:syscalls:sys_enter_getppid", function() if comm == "NAME" then return { number = pid } end end)
    """

  private func makeEvents(_ count: Int) throws {
    _ = try Subprocess("/bin/sh", ["-c", "exec \(workload.path) getppid \(count) >/dev/null"]).wait()
  }

  // MARK: The status line

  @Test func theStatusLineStandsAndGoes() throws {
    let terminal = try TerminalSession()
    try terminal.start(try command("", Self.events))
    try terminal.waitFor("0 events  0/s  0 lost  0:0")
    #expect(try terminal.colors().contains { $0.contains("\u{1b}[2m0 events") })
    try terminal.press("C-c")
    let screen = try terminal.waitForPrompt()
    #expect(!screen.contains { $0.contains("lost") || $0.contains("^C") }, "\(screen)")
  }

  @Test func theStatusLineGoesBeforeTheShellComesBack() throws {
    let terminal = try TerminalSession()
    try terminal.start(try command("", Self.events))
    try terminal.waitFor("0 lost")
    try terminal.press("C-z")
    try terminal.waitFor("Stopped")
    let screen = try terminal.waitForPrompt()
    #expect(!screen.contains { $0.contains("lost") || $0.contains("^Z") }, "\(screen)")
    try terminal.start("fg")
    try terminal.waitFor("0 lost")
    try terminal.press("C-c")
    let end = try terminal.waitForPrompt()
    #expect(!end.contains { $0.contains("lost") }, "\(end)")
  }

  @Test func theStatusLineCountsEvents() throws {
    let terminal = try TerminalSession()
    try terminal.start(try command("-d 100", Self.events))
    try terminal.waitFor(" of 1:40")
    try makeEvents(3)
    try terminal.waitFor("3 events")
    try terminal.press("C-c")
    let screen = try terminal.waitForPrompt()
    #expect(screen.filter { !$0.isEmpty }.count == 6, "\(screen)")  // command, header, three events, prompt
  }

  @Test func linesStayWholeAroundTheStatusLine() throws {
    let terminal = try TerminalSession(columns: 60, rows: 10)
    try terminal.start(
      try command("", "local n = 0 every(0.02, function() n = n + 1 print('line ' .. n) end)"))
    try terminal.waitFor("tracing  0:0")
    try terminal.wait(until: "line 150") { _ in try terminal.history().contains("line 150") }
    try terminal.press("C-c")
    try terminal.waitForPrompt()
    let lines = try terminal.history().filter { !$0.isEmpty }.dropFirst().dropLast()
    #expect(Array(lines) == lines.indices.map { "line \($0)" })
  }

  @Test func aLineWithoutItsEndIsNotBroken() throws {
    let terminal = try TerminalSession()
    let lua = """
      printf("begin") after(0.5, function() printf(" middle") end)
      after(2.2, function() print(" end") end)
      """
    try terminal.start(try command("", lua))
    try terminal.waitFor("begin middle end")
    try terminal.waitFor("tracing  0:0")
    try terminal.press("C-c")
    let screen = try terminal.waitForPrompt()
    #expect(screen.contains("begin middle end") && !screen.contains { $0.contains("tracing") }, "\(screen)")
  }

  @Test(arguments: [
    ("-q", "", ""), ("-d 2", "| cat", ""), ("-c 'sleep 2'", "", ""), ("-d 2", "", "TERM=dumb"),
    ("-d 2", "2>/dev/null", ""),
  ]) func noStatusLine(options: String, redirection: String, environment: String) throws {
    let terminal = try TerminalSession()
    let lua = "after(2.2, exit) at_exit(function() print('at exit') end)"
    try terminal.start("\(environment) \(try command(options, lua)) \(redirection)")
    var sawStatus = false
    try terminal.wait(until: "the end") { lines in
      sawStatus = sawStatus || lines.contains { $0.contains("tracing") }
      return lines.contains("at exit")
    }
    #expect(!sawStatus)
  }

  @Test func errorsEraseTheStatusLine() throws {
    let terminal = try TerminalSession()
    try terminal.start(try command("--strict", Self.events + ":each(function() error('broken') end)"))
    try terminal.waitFor("0 lost")
    try makeEvents(1)
    let screen = try terminal.waitForPrompt()
    #expect(screen.filter { !$0.isEmpty }.dropFirst().first == "x.lua:1: broken", "\(screen)")
    #expect(try terminal.colors().contains { $0.contains("\u{1b}[1m\u{1b}[31mx.lua:1:") })
  }

  // MARK: Colours

  @Test func headersAreBoldOnATerminal() throws {
    let terminal = try TerminalSession()
    try terminal.start(try command("", "emit{ name = 'x' } print(output_color)"))
    try terminal.waitFor("true")
    #expect(try terminal.colors().contains { $0.hasPrefix("\u{1b}[1mNAME") })
  }

  @Test(arguments: ["NO_COLOR=1", "TERM=dumb"]) func noColors(environment: String) throws {
    let terminal = try TerminalSession()
    try terminal.start("\(environment) \(try command("", "emit{ name = 'x' } print(output_color) error('oh')"))")
    try terminal.waitFor("x.lua:1: oh")
    #expect(try terminal.screen().contains("false"))
    #expect(!(try terminal.colors().contains { $0.contains("\u{1b}") }))
  }

  @Test func filesGetNoEscapeByte() throws {
    let lua = """
      local h = hist() local c = count()
      probe("t:syscalls:sys_enter_getppid", function()
        if comm ~= "NAME" then return end
        h:add(pid) c[comm]:add(1)
        return { number = 1 }
      end):each(function(e) emit(e) error("each time") end)
      """
    let run = try workload.trace("getppid 2", lua)
    #expect(run.output.contains("NUMBER") && run.errors.contains("each time"))
    #expect(!(run.output + run.errors).utf8.contains(0x1b))
    let colored = try workload.trace("getppid 2", lua, "--color", "always")
    #expect(colored.output.contains("\u{1b}[1m") && colored.output.contains("\u{1b}[36m****"))
    #expect(colored.errors.hasPrefix("\u{1b}[1;31mx.lua:"))
    let plain = colored.output.replacing(/\u{1b}\[[0-9;]*m/, with: "")
    #expect(plain.split(separator: "\n").count == run.output.split(separator: "\n").count)
  }

  @Test func usageErrorsFollowTheChoiceToo() throws {
    let run = try moontraceRun("--color", "always", "no-such-recipe")
    #expect(run.status == 2 && run.errors.hasPrefix("\u{1b}[1;31mmoontrace:\u{1b}[0m no script"))
    #expect(!(try moontraceRun("no-such-recipe").errors.utf8.contains(0x1b)))
    #expect(try moontraceRun("--color", "sometimes", "-e", "").status == 2)
  }

  private func moontraceRun(_ arguments: String...) throws -> MoontraceProcess.Finished {
    try MoontraceProcess(arguments).wait()
  }
}
