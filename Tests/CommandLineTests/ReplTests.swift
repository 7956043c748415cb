import Glibc
import KernelTestSupport
import Support
import Testing

/// `moontrace repl` as a user sees it: in a terminal, and with a script on standard input.
@Suite(.requires(.root))
struct ReplTests {
  // MARK: In a terminal

  @Test func chunksOfOneAndOfSeveralLines() throws {
    let terminal = try ReplTerminal(["repl"])
    try terminal.wait(for: "1>")
    try terminal.enter("1 + 1", then: "2>")
    try terminal.enter("for i = 1, 2 do", then: "3|")
    try terminal.enter("  print('line ' .. i)", then: "4|")
    let screen = try terminal.enter("end", then: "5>")
    #expect(
      screen == "1> 1 + 1\n2\n2> for i = 1, 2 do\n3|   print('line ' .. i)\n4| end\nline 1\nline 2\n5>", "\(screen)")
  }

  @Test func errorsKeepTheSession() throws {
    let terminal = try ReplTerminal(["repl"])
    try terminal.enter("x.y = 1", then: "2>")
    let screen = try terminal.enter("'still ' .. 'here'", then: "3>")
    #expect(screen.contains("repl:1: attempt to index a nil value (global 'x')"), "\(screen)")
    #expect(screen.contains("\n\"still here\"\n"), "\(screen)")
  }

  /// The line that is being typed, and where the cursor is in it, survive what is printed.
  @Test func eventsPrintAboveTheLine() throws {
    let terminal = try ReplTerminal(["repl"], columns: 60)
    let workload = try Workload()
    try terminal.wait(for: "1>")
    let body = "if comm == '\(workload.name)' then return { cpu_of = cpu } end"
    let screen = try terminal.enter("probe('t:syscalls:sys_enter_getppid', function() \(body) end)", then: "2>")
    #expect(screen.contains("probe 1: t:syscalls:sys_enter_getppid"), "\(screen)")
    // Longer than the terminal is wide.
    let long = "text = 'as long as it takes to reach the second row of this terminal' .. ' an"
    try terminal.type(long)
    try terminal.wait(for: "of this terminal' .. ' an") { $0.replacing("\n", with: "").contains(long) }
    #expect(try Subprocess("/bin/sh", ["-c", "\(workload.path) getppid 3 >/dev/null"]).wait() == 0)
    let after = try terminal.wait(for: "three rows above the line") { screen in
      let lines = screen.split(separator: "\n")
      guard let header = lines.firstIndex(where: { $0.contains("CPU_OF") }) else { return false }
      let numbers = lines[(header + 1)...].prefix { Int($0.filter { $0 != " " }) != nil }
      return numbers.count == 3 && screen.hasSuffix("' an")
    }
    #expect(after.split(separator: "\n").suffix(2).joined() == "2> \(long)", "\(after)")
    try terminal.enter("d more'", then: "3>")
    try terminal.enter("#text", then: "4>")
    try terminal.wait(for: "\n69\n")
  }

  @Test func controlCClearsAndControlDEnds() throws {
    let terminal = try ReplTerminal(["repl"])
    try terminal.enter("at_exit(function() print('the end') end)", then: "2>")
    try terminal.enter("for i = 1, 2 do", then: "3|")
    // Control-C throws away what the terminal has taken and nobody has read.
    try terminal.type("unfinished")
    try terminal.wait(for: "3| unfinished")
    try terminal.type("", "C-c")
    try terminal.wait(for: "3| unfinished^C\n2>")
    try terminal.enter("7 * 6", then: "3>")
    try terminal.type("", "C-d")
    let screen = try terminal.wait(for: "ended with")
    #expect(screen.hasSuffix("the end\nended with 0"), "\(screen)")
  }

  @Test func controlCStopsWhatRuns() throws {
    let terminal = try ReplTerminal(["repl"])
    try terminal.type("print('started') for i = 1, 1 << 62 do end", "Enter")
    try terminal.wait(for: "\nstarted")
    try terminal.type("", "C-c")
    try terminal.wait(for: "interrupted") { $0.contains("repl:1: interrupted") || $0.contains("ran longer than 1 s") }
    try terminal.enter("'on'", then: "3>")
  }

  @Test func historyIsKept() throws {
    let home = try TemporaryDirectory()
    for prompt in ["2>", "3>"] {
      let terminal = try ReplTerminal(["repl"], home: home)
      try terminal.wait(for: "1>")
      try terminal.type("", "Up")
      try terminal.type(" ", "Enter")
      try terminal.enter("remembered = 'yes'", then: prompt)
      try terminal.type("", "C-d")
      try terminal.wait(for: "ended with 0")
    }
    let history = String(decoding: try readFile(home.path(".local/state/moontrace/history")), as: UTF8.self)
    #expect(history == "remembered = 'yes'\nremembered = 'yes' \nremembered = 'yes'\n")
  }

  @Test(arguments: [
    ("pri", "1> print"), ("string.rev", "1> string.reverse"), (":pro", "1> :probes"),
    ("probe(\"tracepoint:sched:sched_swi", "1> probe(\"tracepoint:sched:sched_switch"),
    ("probe('t:sched:sched_switch', function(args) return args.prev_c", "args.prev_comm"),
    ("probe('t:sched:sched_switch', function(args) return curtask.real_p", "curtask.real_parent"),
    ("probe('t:sched:sched_switch', function(a) return pco", "return pcomm"),
    ("probe('rawtracepoint:sched_switch', function(args) return args.prev.real_p", "args.prev.real_parent"),
    (":type struct task_str", "1> :type struct task_struct"), (":save /us", "1> :save /usr/"),
    ("bpf.object('/us", "1> bpf.object('/usr/"), ("probe('usdt:libc.so", "1> probe('usdt:libc.so.6:"),
    ("probe('uprobe:libc:reallocarr", "1> probe('uprobe:libc:reallocarray"),
    ("probe('uretprobe:/bin/slee", "1> probe('uretprobe:/bin/sleep:"),
  ])
  func tabCompletes(_ text: String, _ result: String) throws {
    let terminal = try ReplTerminal(["repl"])
    try terminal.wait(for: "1>")
    try terminal.type(text, "Tab")
    try terminal.wait(for: result) { $0.hasSuffix(result) }
  }

  @Test func tabListsWhatIsPossible() throws {
    let terminal = try ReplTerminal(["repl"])
    try terminal.wait(for: "1>")
    try terminal.type("probe('t:sched:sched_switch', function(args) return args.prev_", "Tab")
    let screen = try terminal.wait(for: "prev_state") { $0.contains("prev_state") && $0.hasSuffix("args.prev_") }
    #expect(screen.contains("prev_comm   prev_pid    prev_prio   prev_state"), "\(screen)")
  }

  // MARK: Pasting

  @Test func aScriptIsPastedAsOnePiece() throws {
    let terminal = try ReplTerminal(["repl"])
    try terminal.wait(for: "1>")
    try terminal.paste("for i = 1, 2 do\n\tpri = 'line ' .. i\n\tprint(pri)\nend\nx = 7\n")
    let pasted = try terminal.wait(for: "\nx = 7")
    #expect(
      pasted == "1> for i = 1, 2 do\n        pri = 'line ' .. i\n        print(pri)\nend\nx = 7",
      "nothing runs, and tabs are text: \(pasted)")
    let screen = try terminal.enter(" + 1", then: "6>")
    #expect(screen.hasSuffix("\nx = 7 + 1\nline 1\nline 2\n6>"), "\(screen)")
    try terminal.enter("x", then: "7>")
    try terminal.wait(for: "\n8\n7>")
  }

  @Test func whatIsPastedMayBeUnfinished() throws {
    let terminal = try ReplTerminal(["repl"])
    try terminal.wait(for: "1>")
    try terminal.paste("function f()\n  return 6\n")
    try terminal.enter("", then: "3|")
    try terminal.paste("end")
    try terminal.enter("", then: "4>")
    try terminal.paste(":help\n7 * f()\n")
    try terminal.enter("", then: "5>")
    #expect(try terminal.screen().hasSuffix("end, as Ctrl-D\n42\n5>"))
  }

  /// Events appear above all of its lines, and it comes back whole from the history of the next session.
  @Test func pastedLinesStayWhole() throws {
    let home = try TemporaryDirectory()
    let lines = "y = {\n\t'a long line that goes on to a row of its own', 'as it does here',\n\t3,\n}"
    let shown = lines.replacing("\t", with: "        ").replacing("'as it ", with: "'as\n it ")
    do {
      let terminal = try ReplTerminal(["repl"], home: home, columns: 60)
      try terminal.enter("after(1, function() print('above') end)", then: "2>")
      try terminal.paste(lines)
      let screen = try terminal.wait(for: "above") { $0.contains("\nabove\n") && $0.hasSuffix("}") }
      let compact = screen.filter { $0 != " " && $0 != "\n" }
      #expect(compact.hasSuffix("end)above2>" + shown.filter { $0 != " " && $0 != "\n" }), "\(screen)")
      try terminal.enter("", then: "6>")
      try terminal.type("", "C-d")
      try terminal.wait(for: "ended with 0")
    }
    let terminal = try ReplTerminal(["repl"], home: home)
    try terminal.wait(for: "1>")
    try terminal.type("", "Up")
    try terminal.wait(for: "\n        3,\n}")
    try terminal.enter("", then: "5>")
    try terminal.enter("#y", then: "6>")
    try terminal.wait(for: "\n3\n6>")
  }

  @Test func aTerminalThatChangesItsSize() throws {
    let terminal = try ReplTerminal(["repl"], columns: 100)
    try terminal.wait(for: "1>")
    try terminal.type("x = 'about forty columns of text' .. ' and more'")
    try terminal.resize(columns: 60, rows: 20)
    try terminal.enter("", then: "2>")
    try terminal.enter("#x", then: "3>")
    try terminal.wait(for: "\n36\n")
  }

  // MARK: With a script on standard input

  @Test func chunksOnStandardInput() throws {
    let run = try moontrace("repl", input: "1 + 1\nfor i = 1, 2 do\n  print(i)\nend\n:help\n'last'")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.lines.prefix(3) == ["2", "1", "2"] && run.lines.last == "\"last\"", "\(run.output)")
    #expect(!run.output.contains(">"), "\(run.output)")
  }

  @Test(arguments: [
    ("print(1)\nerror('x')\nprint(2)\n", "1\n", "repl:2: x\n", 1),
    ("print(1)\nfor i = 1, 2 do\n", "1\n", "repl:2: ", 1),
    (":nonsense\nprint(2)\n", "", "there is no command ':nonsense'", 2), ("exit(7)\nprint(2)\n", "", "", 7),
  ])
  func theFirstFailureEndsIt(_ input: String, _ output: String, _ errors: String, _ status: Int32) throws {
    let run = try moontrace("repl", input: input)
    #expect(run.output == output && run.errors.hasPrefix(errors) && run.status == status, "\(run)")
  }

  @Test func sessionsAreSavedAsScripts() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("saved.lua")
    let input = "local hidden = 1\nx = 2\nx\nfunction show()\n  print(x, hidden)\nend\nreturn show()\n:save \(path)\n"
    let run = try moontrace("repl", input: input + ":save! \(path)\n")
    #expect(run.status == 0, "\(run.errors)")
    let saved = try moontrace(path)
    #expect(saved.output == "2\tnil\n" && saved.errors == "", "\(saved)")
    let again = try moontrace("repl", input: ":save \(path)\n")
    #expect(again.status == 2 && again.errors.contains("is there already"), "\(again)")
  }

  @Test func optionsOfSessionsApply() throws {
    let run = try moontrace("repl", "-f", "json", "-q", input: "emit{ a = 1 }\nopt.pid\n")
    #expect(run.output == "{\"a\":1}\nnil\n" && run.errors == "", "\(run)")
    let dump = try moontrace("repl", "--dump", "bpf")
    #expect(dump.status == 2 && dump.errors.contains("--dump"), "\(dump)")
  }

  // MARK: Its document

  /// docs/repl.md shows a session: what it shows as typed is typed here, the commands between are run, and the screen
  /// is as shown but for numbers that differ from run to run.
  @Test func theSessionOfItsDocument() throws {
    let top = #filePath.dropLast("/Tests/CommandLineTests/ReplTests.swift".count)
    let document = String(decoding: try readFile("\(top)/docs/repl.md"), as: UTF8.self)
    let blocks = document.split(separator: "```").map(String.init)
    let terminal = try ReplTerminal(["repl"], columns: 110, rows: 200)
    var shown: [String] = []
    for block in blocks {
      if block.hasPrefix("sh\n") {
        try terminal.waitForPrompt()
        #expect(try Subprocess("/bin/sh", ["-c", String(block.dropFirst(3))], descriptors: [:]).wait() == 0)
      } else if block.hasPrefix("text\n") {
        shown += block.split(separator: "\n").dropFirst().map(String.init)
        try terminal.replay(shown)
      }
    }
    #expect(shown.count > 20)
  }
}

extension ReplTerminal {
  fileprivate func waitForPrompt() throws {
    try wait(for: "a prompt") { Self.isPrompt($0.split(separator: "\n").last ?? "") }
  }

  private static func isPrompt(_ line: Substring) -> Bool {
    let rest = line.drop(while: \.isNumber)
    return rest.count < line.count && (rest == ">" || rest == "|")
  }

  /// Types what the last lines show as typed and is not on the screen yet; waits until the screen shows all of the lines.
  fileprivate func replay(_ lines: [String]) throws {
    for (index, line) in lines.enumerated() {
      let number = line.prefix(while: \.isNumber)
      let rest = line.dropFirst(number.count)
      guard !number.isEmpty, rest.hasPrefix("> ") || rest.hasPrefix("| ") else { continue }
      let typed = String(rest.dropFirst(2))
      if try screen().contains("\(number)\(rest)") { continue }
      try waitFor(Array(lines[..<index]) + ["\(number)\(rest.prefix(1))"])
      try type(typed, "Enter")
    }
    try waitFor(lines)
  }

  /// Numbers as `#`, runs of blanks as one.
  private static func shape(_ text: some StringProtocol) -> [String] {
    text.split(separator: "\n").map { line in
      line.split(separator: " ").map { word in
        word.allSatisfy { $0.isNumber || $0 == "." || $0 == "|" || $0 == "*" } ? "#" : String(word)
      }.joined(separator: " ")
    }
  }

  private func waitFor(_ lines: [String]) throws {
    let wanted = Self.shape(lines.joined(separator: "\n"))
    try wait(for: lines.suffix(5).joined(separator: "\n")) { Self.shape($0).starts(with: wanted) }
  }
}
