import Support
import Testing

@testable import Tracing

/// What `moontrace trace` makes of its words; nothing here needs a kernel.
struct OneLinerTests {
  private static let open = "t:syscalls:sys_enter_openat"

  /// The script's text with blanks in place of its line ends, one token being on each line.
  private func script(_ words: String...) throws -> String {
    let source = try OneLiner(words).script()
    return String(decoding: source.text, as: UTF8.self).split(separator: "\n").joined(separator: " ")
  }

  private func failure(_ words: String...) -> String {
    do throws(MoontraceError) {
      let text = try OneLiner(words).script().text
      return "no error: \(String(decoding: text, as: UTF8.self))"
    } catch {
      return error.code == .usage ? "\(error)" : "code \(error.code): \(error)"
    }
  }

  // MARK: Columns

  @Test(arguments: [
    ("pid, comm, str(args.filename)", ["pid", "comm", "filename"]),
    ("nsecs - start", ["nsecs-start"]),
    ("(nsecs - start[tid]) // 1000", ["(nsecs-start)//1000"]),
    ("curtask.tgid, curtask.real_parent.tgid", ["tgid", "real_parent_tgid"]),
    ("args.sk.__sk_common.skc_dport", ["skc_dport"]),
    ("args.args[0], args.args[1]", ["args[0]", "args[1]"]),
    ("pid, pid, pid", ["pid", "pid_2", "pid_3"]),
    ("str(args.name, 64), ntop(args.addr), kstack(3), pid()", ["name", "addr", "kstack", "pid"]),
    ("math.max(args.ret, 0)", ["max"]),
    ("cast(\"struct sock\", arg0).sk_mark", ["sk_mark"]),
    ("(args.ret)", ["ret"]),
    ("args.ret < 0 and -args.ret or 0", ["ret<0 and-ret or 0"]),
    ("not args.ret", ["not ret"]),
    ("#comm, comm:len()", ["#comm", "len"]),
    ("ksym(args.function)", ["function"]),
    ("\"a, b\", [[c, d]], 'e'", ["\"a, b\"", "[[c, d]]", "'e'"]),
    ("f(a, b), t[{ c, d }], { e, f }", ["f", "t", "{e,f}"]),
    ("pid -- a comment, with a comma\n, comm --[[ another, one ]]", ["pid", "comm"]),
  ])
  func columnsAreNamedByTheirText(_ action: String, _ names: [String]) {
    #expect(ColumnNames.of(OneLinerPart("action", action).tokens.split()) == names)
  }

  @Test func expressionsAreAnEvent() throws {
    let text = try script(Self.open, "pid, str(args.filename)")
    #expect(
      text == """
        probe({ "\(Self.open)" }, function(args) return { ["pid"] = pid , \
        ["filename"] = str ( args . filename ) , } end)
        """)
  }

  @Test(arguments: [
    ("{ ms = nsecs // 1000000, comm }", "return { ms = nsecs // 1000000 , comm }"),
    ("count(comm)", "count ( comm )"),
    ("count(comm), hist(args.ret)", "count ( comm ) ; hist ( args . ret ) ;"),
    ("printf(\"%d, %s\", pid, comm)", "printf ( \"%d, %s\" , pid , comm )"),
    ("sizes:add(args.ret)", "sizes : add ( args . ret )"),
    ("if pid > 1 then return { pid = pid } end", "if pid > 1 then return { pid = pid } end"),
  ])
  func otherActionsAreTheBody(_ action: String, _ body: String) throws {
    #expect(try script(Self.open, action) == "probe({ \"\(Self.open)\" }, function(args) \(body) end)")
  }

  @Test func aProbeMayBeSeveral() throws {
    #expect(try script("t:a:b, k:c", "count()").hasPrefix("probe({ \"t:a:b\", \"k:c\" }, function(args)"))
  }

  // MARK: Filters

  @Test func filtersBelongToTheirPair() throws {
    let text = try script(
      Self.open, "--if", "pid == 1", "count()", "k:x", "count()", "--if=pid == 2", "--if", "pid == 3")
    #expect(
      text == """
        probe({ "\(Self.open)" }, function(args) if not ( pid == 1 ) then return end count ( ) end) \
        probe({ "k:x" }, function(args) if not ( pid == 2 ) then return end if not ( pid == 3 ) then return end \
        count ( ) end)
        """)
  }

  @Test func aFilterBeforeAllPairsBelongsToEach() throws {
    let text = try script("--if", "pid == 1", Self.open, "count()", "k:x", "count()")
    #expect(text.split(separator: "if not ( pid == 1 ) then return end").count == 3, "\(text)")
  }

  // MARK: Names that all actions share

  @Test func indexedNamesAreMaps() throws {
    let text = try script(
      "k:a", "start[tid] = nsecs", "kr:a", "if start[tid] then hist(nsecs - start[tid]) start[tid] = nil end")
    #expect(text.hasPrefix("local start = map() probe("))
    #expect(!text.contains("show"), "what is deleted from is no result")
  }

  @Test func mapsThatKeepTheirEntriesAreShown() throws {
    let text = try script("k:a", "seen[{ pid, comm }] = (seen[{ pid, comm }] or 0) + 1")
    #expect(text.hasSuffix(".show(seen, 'seen', { \"pid\", \"comm\" }) end)"), "\(text)")
  }

  @Test func assignedNamesAreNumbersAndTruths() throws {
    let text = try script("k:a", "calls = calls + 1 seen = true", "k:b", "{ calls = calls, n = x.calls }")
    #expect(text.hasPrefix("local _variables = global{ calls = 0, seen = false } "))
    #expect(text.contains("_variables.calls = _variables.calls + 1 _variables.seen = true"))
    #expect(text.contains("return { calls = _variables.calls , n = x . calls }"), "fields and members keep their names")
  }

  @Test(arguments: [
    "odd = calls % 2 == 1", "odd = not seen", "odd = (pid > 1)", "odd = pid > 1 and tid ~= 3 or true",
    "odd = false if pid == 1 then odd = pid < args.x[3] end", "n, odd = 1, pid == 1 x = 2",
    "odd = even even = uid == 0", "odd = str(args.filename):startswith('/etc')", "odd = #comm < 3 and -pid <= 1",
  ])
  func comparisonsAreTruths(_ action: String) throws {
    let text = try script("k:a", action)
    #expect(text.contains(" odd = false") || text.contains("{ odd = false"), "\(text)")
  }

  @Test(arguments: [
    "odd = pid > 1 and 5 or 6", "odd = true odd = 1", "odd = odd + 1", "odd = pid", "odd = (pid)",
    "odd = f(pid == 1)", "odd, n = 1, pid == 1", "odd = { pid == 1 }", "odd = pid local odd = true",
    "odd = -(pid == 1)", "odd = t.x == 1 and pid",
  ])
  func otherValuesAreNumbers(_ action: String) throws {
    let text = try script("k:a", action)
    #expect(!text.contains("odd = false"), "\(text)")
  }

  @Test func commentsAreLeftOut() throws {
    #expect(try script("k:a", "count() -- all of them") == script("k:a", "count()"))
  }

  @Test func aNameMayBeLocalToAnAction() throws {
    let text = try script("k:a", "n = n + 1", "k:b", "local n = 5 local f = function() return n.x end print(n)")
    #expect(text.contains("_variables.n = _variables.n + 1") && text.contains("local n = 5"), "\(text)")
  }

  @Test func localsAreNotShared() throws {
    let text = try script("k:a", "local t = { 1 } local n = 1 n = n + t[1] print(n)")
    #expect(text.hasPrefix("probe("), "\(text)")
  }

  // MARK: Mistakes

  @Test(
    arguments: [
      ([], "trace: there is nothing to trace"),
      ([open], "trace: probe 1 '\(open)' has no action (write PROBE ACTION"),
      ([open, "pid", "k:x"], "trace: probe 2 'k:x' has no action"),
      ([open, " "], "trace: the action of '\(open)' is empty"),
      ([open, "-- nothing"], "trace: action 1 is empty"),
      (
        ["tracepint:a:b", "pid"],
        "trace: probe 1: 'tracepint:a:b': no probe is called 'tracepint' (did you mean 'tracepoint'?)"
      ),
      (
        [open, "pid,", "comm"],
        "trace: probe 2: 'comm': no probe is called 'comm' (an action is one word for the shell: quote it)"
      ),
      ([open, "pid", "k:x", "pid,"], "trace: action 2, at the end: unexpected symbol near <eof>"),
      ([open, "if pid then"], "trace: action 1, at the end: 'end' expected (to close 'if' at column 1) near <eof>"),
      ([open, "pid, comm)"], "trace: action 1, column 10: <eof> expected near ')'"),
      ([open, "print(1)\nprint((2)\nprint(3)"], "trace: action 1, line 3, column 1: ')' expected (to close '('"),
      (
        [open, "@seen[pid] = 1"],
        "trace: action 1, column 1: unexpected symbol near '@' (a map's name has no @: seen[comm])"
      ),
      ([open, "args->ret"], "trace: action 1, column 6: unexpected symbol near '>' (Lua writes a.b)"),
      ([open, "pid && comm"], "trace: action 1, column 6: unexpected symbol near '&' (Lua writes 'and')"),
      ([open, "pid, count(comm)"], "trace: action 1, column 6: count(…) has no value for a column"),
      ([open, "pid", "--if"], "trace: --if lacks its condition"),
      ([open, "pid", "--if", "pid =="], "trace: --if of probe 1, at the end: unexpected symbol near <eof>"),
      (["--if", "pid, comm", open, "pid"], "trace: --if: 'pid, comm' is no condition"),
      ([open, "pid end) os.exit() probe('k:x', function()"], "trace: action 1, column 5: <eof> expected near 'end'"),
    ] as [([String], String)])
  func mistakesNameTheActionAndTheColumn(_ words: [String], _ message: String) {
    do throws(MoontraceError) {
      _ = try OneLiner(words).script()
      Issue.record("no error for \(words)")
    } catch {
      #expect(error.code == .usage)
      #expect("\(error)".hasPrefix(message), "\(error)")
    }
  }

  @Test func linesOfTheScriptAreTokensOfTheCommandLine() throws {
    let source = try OneLiner([Self.open, "pid", Self.open, "comm,\nstr(args.filname)"]).script()
    let places = try #require(source.places)
    let lines = String(decoding: source.text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    let line = 1 + (try #require(lines.firstIndex { $0 == "filname" }))
    #expect(
      places.translate("(trace):\(line): x (trace):1: y") == "trace: action 2, line 2, column 10: x trace: probe 1: y")
    let later = places.translate("(trace):\(line + 1): no argument 'filname'")
    #expect(later == "trace: action 2, line 2, column 10: no argument 'filname'", "the quoted name is what is meant")
    #expect(places.translate("(trace):9999: x") == "trace: x")
    #expect(places.translate("x.lua:3: x") == "x.lua:3: x")
  }

  @Test(arguments: [
    "'", "\"\\", "[==[", "--[[", "[=", "0x", "\u{e9}", "a.", "a:", "{", ")", "]]", "function", "1e+", "...",
  ])
  func brokenTextIsAnErrorAndNoCrash(_ text: String) {
    for action in [text, "pid, \(text)", "x[\(text)", "str(\(text)"] {
      _ = failure(Self.open, action)
      _ = failure(Self.open, "pid", "--if", action)
    }
  }
}
