import Glibc
import KernelTestSupport
import Support
import Testing

/// Live views (`--top`) on a real terminal, and plain blocks elsewhere.
@Suite(.requires(.root, .tmux))
struct TopTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  /// Rows that don't change, and a number that grows with each picture.
  private static let rows = """
    local n = 0
    every(0.1, function()
      n = n + 1
      print("picture " .. n)
      for name, value in pairs{ apple = 30, pear = 4, plum = 100 } do emit({ fruit = name, weight = value }) end
    end)
    """

  /// Starts a script with `--top` in a window, behind a line that says so; `pid` and the terminal's state are in files.
  private func start(_ terminal: TerminalSession, _ lua: String, _ options: String = "", name: String = "x.lua") throws
  {
    let script = try directory.write(name, lua)
    let run = try directory.write(
      "run",
      "stty -g >\(directory.path("before"))\necho $$ >\(directory.path("pid"))\n"
        + "exec \(MoontraceProcess.executable) --top \(options) \(script)\n")
    try terminal.start("echo 'stood here'; sh \(run); echo status $?")
  }

  private var pid: pid_t {
    get throws {
      let text = String(decoding: try readFile(directory.path("pid")), as: UTF8.self)
      return try #require(pid_t(text.trimming))
    }
  }

  /// Expects the shell's screen as it was, and the terminal in the state that it had.
  private func expectRestored(_ terminal: TerminalSession, status: Int32, said: String? = nil) throws {
    let screen = try terminal.waitForPrompt()
    #expect(screen.contains("stood here") && screen.contains("status \(status)"), "\(screen)")
    #expect(!screen.contains { $0.contains("q quit") }, "\(screen)")
    if let said { #expect(screen.contains { $0.contains(said) }, "\(screen)") }
    try terminal.start("clear; test \"$(stty -g)\" = \"$(cat \(directory.path("before")))\" && echo 'as it was'")
    try terminal.wait(until: "'as it was'") { $0.contains("as it was") }
  }

  /// The fruits from top to bottom.
  private func fruits(_ screen: [String]) -> [String] {
    screen.compactMap { $0.split(separator: " ").first.map(String.init) }
      .filter { ["apple", "pear", "plum"].contains($0) }
  }

  private func waitForOrder(_ terminal: TerminalSession, _ order: String...) throws {
    try terminal.wait(until: "the order \(order)") { fruits($0) == order }
  }

  // MARK: Keys

  @Test func keysSort() throws {
    let terminal = try TerminalSession()
    try start(terminal, Self.rows)
    try terminal.waitFor("WEIGHT")
    try terminal.press("w")
    try waitForOrder(terminal, "plum", "apple", "pear")
    try terminal.press("r")
    try waitForOrder(terminal, "pear", "apple", "plum")
    try terminal.press("Left")
    try waitForOrder(terminal, "apple", "pear", "plum")
    try terminal.press("Right")
    try waitForOrder(terminal, "plum", "apple", "pear")
    try terminal.press("q")
    try expectRestored(terminal, status: 0)
  }

  @Test func spacePauses() throws {
    let terminal = try TerminalSession()
    func picture() throws -> String? { try terminal.screen().first { $0.hasPrefix("picture") } }
    try start(terminal, Self.rows)
    try terminal.waitFor("picture")
    try terminal.press("Space")
    try terminal.waitFor("[paused]")
    let (shown, bar) = (try picture(), try terminal.screen().first)
    // The clock in the bar goes on, the picture does not.
    try terminal.wait(until: "another second") { $0.first != bar }
    #expect(try picture() == shown)
    try terminal.press("Space")
    try terminal.wait(until: "another picture") { screen in screen.contains { $0.hasPrefix("picture") && $0 != shown } }
    try terminal.press("C-c")
    try expectRestored(terminal, status: 0)
  }

  @Test func theViewFitsTheWindow() throws {
    let terminal = try TerminalSession(columns: 90, rows: 20)
    let lua = "every(0.2, function() for i = 1, 50 do emit{ number = i, text = ('日本'):rep(i) .. ' end' } end end)"
    try start(terminal, lua)
    try terminal.wait(until: "a view of 20 lines") { screen in
      screen.contains { $0.contains("NUMBER") } && screen[0].hasPrefix("moontrace x.lua")
        && screen[19].hasPrefix("q quit")
    }
    try terminal.resize(columns: 40, rows: 12)
    try terminal.wait(until: "a view of 12 lines") { $0.count >= 12 && $0[11].hasPrefix("q quit  space pause") }
    try terminal.press("NPage")
    try terminal.wait(until: "the eleventh row first") { $0[2].trimming.hasPrefix("11 ") }
    try terminal.press("q")
    try expectRestored(terminal, status: 0)
  }

  // MARK: Aggregates

  @Test func aggregatesOfTheRun() throws {
    let load = try Workload()
    let terminal = try TerminalSession()
    let lua = """
      local calls, sizes = count(), hist()
      probe("t:syscalls:sys_enter_getppid", function()
        if comm == "\(load.name)" then calls[comm]:add(1) sizes:add(5) end
      end)
      """
    try start(terminal, lua, "-c '\(load.path) getppid 7 && echo noise && sleep 60'")
    let screen = try terminal.waitFor("\(load.name)     7")
    #expect(screen.contains { $0.hasPrefix("CALLS") && $0.hasSuffix("COUNT") })
    #expect(screen.contains { $0.contains("|****") })
    #expect(!screen.contains { $0.contains("noise") })
    try terminal.press("q")
    // The totals are printed at the end, as without --top.
    try expectRestored(terminal, status: 0, said: load.name)
  }

  @Test func aRecipe() throws {
    let terminal = try TerminalSession()
    try terminal.start("\(MoontraceProcess.executable) run --top pidpersec")
    let screen = try terminal.waitFor("PIDS_PER_SEC")
    #expect(screen[0].hasPrefix("moontrace pidpersec.lua"))
    try terminal.press("q")
    try terminal.waitForPrompt()
  }

  // MARK: Whatever ends it

  @Test(arguments: [(SIGTERM, 0), (SIGHUP, 0), (SIGSEGV, 139), (SIGABRT, 134)] as [(Int32, Int32)])
  func signalsGiveTheTerminalBack(signal: Int32, status: Int32) throws {
    let terminal = try TerminalSession()
    try start(terminal, Self.rows)
    try terminal.waitFor("WEIGHT")
    kill(try pid, signal)
    try expectRestored(terminal, status: status)
  }

  @Test func errorsGiveTheTerminalBackAndAreTold() throws {
    let terminal = try TerminalSession()
    let load = try Workload()
    let body = "if comm == '\(load.name)' then return { call = 1 } end"
    let broken = "probe('t:syscalls:sys_enter_getppid', function() \(body) end):each(function() error('broken') end)"
    try start(terminal, "\(Self.rows)\n\(broken)", "--strict")
    try terminal.waitFor("WEIGHT")
    _ = try Subprocess("/bin/sh", ["-c", "exec \(load.path) getppid 1 >/dev/null"]).wait()
    try expectRestored(terminal, status: 1, said: "x.lua:7: broken")
  }

  @Test func errorsThatGoOnStandInTheView() throws {
    let terminal = try TerminalSession()
    try start(terminal, Self.rows + "\nevery(0.3, function() error('again') end)")
    try terminal.waitFor("x.lua:7: again")
    try terminal.waitFor("WEIGHT")
    try terminal.press("q")
    try expectRestored(terminal, status: 0, said: "x.lua:7: again")
  }

  @Test func suspendedAndBack() throws {
    let terminal = try TerminalSession()
    try start(terminal, Self.rows)
    try terminal.waitFor("WEIGHT")
    try terminal.press("C-z")
    try terminal.waitFor("Stopped")
    #expect(try terminal.screen().contains("stood here"))
    try terminal.start("fg")
    try terminal.waitFor("WEIGHT")
    try terminal.press("w")
    try waitForOrder(terminal, "plum", "apple", "pear")
    try terminal.press("q")
    _ = try terminal.waitForPrompt()
  }

  // MARK: Elsewhere

  @Test func plainBlocksOffATerminal() throws {
    let load = try Workload()
    let start = time(nil)
    let run = try load.trace(
      "getppid 3 >/dev/null && sleep 2.5",
      "probe('t:syscalls:sys_enter_getppid', function() if comm == 'NAME' then count(comm) end end)", "--top")
    let blocks = run.lines.filter { $0.hasPrefix(load.name) && $0.hasSuffix(" 3") }.count
    // At most one a second while it runs, one of them at least, and one at the end.
    #expect((2...time(nil) - start + 2).contains(blocks), "\(run.output)")
    #expect(run.lines.contains { $0.wholeMatch(of: /\d\d:\d\d:\d\d/) != nil })
    #expect(!run.output.utf8.contains(0x1b))
  }

  @Test func plainBlocksThatProgramsRead() throws {
    let load = try Workload()
    let run = try load.trace(
      "getppid 3 >/dev/null && sleep 1.5",
      "probe('t:syscalls:sys_enter_getppid', function() if comm == 'NAME' then count(comm) end end)", "--top", "-f",
      "json")
    let line = #"{"aggregate":"count","type":"count","data":[{"key":["\#(load.name)"],"value":3}]}"#
    #expect(run.lines.count >= 2 && run.lines.allSatisfy { $0 == line }, "\(run.output) \(run.errors)")
  }

  @Test func nothingToShow() throws {
    let run = try moontrace("--top", "-e", "probe('t:syscalls:sys_enter_getppid', function() return { pid = pid } end)")
    #expect(run.status == 2 && run.errors.contains("--top: nothing to show"), "\(run.errors)")
  }
}
