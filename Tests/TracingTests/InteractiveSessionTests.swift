import Glibc
import KernelTestSupport
import Support
import Testing

@testable import Tracing

/// A session at a keyboard whose output goes to a file.
final class Keyboard {
  let session: InteractiveSession
  private let path: String

  init() throws {
    var template = Array("/tmp/moontrace-keyboard-XXXXXX".utf8CString)
    close(mkstemp(&template))
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var configuration = SessionConfiguration()
    configuration.outputPath = path
    session = try InteractiveSession(configuration)
  }

  deinit { unlink(path) }

  /// The value's text of a chunk that works.
  @discardableResult
  func enter(_ text: String) throws -> String? {
    let outcome = session.evaluate(text)
    guard case .done(let value, _) = outcome else { throw NotDone(description: "\(text): \(outcome)") }
    return value
  }

  struct NotDone: Error, CustomStringConvertible { var description: String }

  /// The error of a chunk that must not work.
  func error(_ text: String) -> String {
    let outcome = session.evaluate(text)
    guard case .failed(let error) = outcome else { return "\(outcome)" }
    return error.description
  }

  /// Ends the session; what it printed.
  func finish() throws -> String {
    #expect(session.finish() == 0)
    return String(decoding: try readFile(path), as: UTF8.self)
  }
}

/// One after the other, for they count the calls of this process.
@Suite(.requires(.root), .serialized) struct InteractiveSessionTests {
  let keyboard: Keyboard

  init() throws { keyboard = try Keyboard() }

  // MARK: Texts

  @Test(arguments: [
    ("x = 1", false), ("1 +", true), ("for i = 1, 3 do", true), ("for i = 1, 3 do\nprint(i)\nend", false),
    ("{ 1,", true), ("f(", true), ("x = [[", true), ("x = \"abc", false), ("x = = 1", false), ("end", false),
    ("probe('t:a:b', function()", true), ("-- a comment", false), ("--[[ a comment", true), ("local", true),
    ("return", false),
  ])
  func completenessIsLuas(_ text: String, _ isUnfinished: Bool) {
    #expect(keyboard.session.isUnfinished(text) == isUnfinished)
  }

  @Test(arguments: [
    ("1 + 1", "2"), ("'a' .. 1", "\"a1\""), ("nil", "nil"), ("1, nil", "1\nnil"), ("x = 1", nil),
    ("7 // 2, 1.5", "3\n1.5"),
    ("-132000000000000", "-132000000000000 (0xffff87f25ae3c000)"),
    (
      "{ 1, 2, a = { b = true }, [3.5] = 'x' }",
      "{ 1, 2, [3.5] = \"x\", a = { b = true } }"
    ), ("'a\\nb\\27'", "a\nb\\x1b"), ("{ 'a\\nb' }", "{ \"a\\nb\" }"),
    ("print", "function"), ("return 5", nil),
    ("(function() local t = {} t.t = t return t end)()", "{ t = { itself } }"),
  ])
  func valuesAreReadable(_ text: String, _ value: String?) throws {
    #expect(try keyboard.enter(text) == value)
  }

  @Test func longTablesAreCut() throws {
    try keyboard.enter("t = {} for i = 1, 1000 do t[i] = i end")
    let shown = try #require(try keyboard.enter("t"))
    #expect(shown.hasPrefix("{\n  1,\n  2,\n") && shown.hasSuffix("  … 960 more\n}"))
  }

  @Test func chunksAreLinesOfOneText() throws {
    try keyboard.enter("function f()\n  error('deep')\nend")
    #expect(keyboard.session.nextLine == 4)
    #expect(keyboard.error("f()") == "repl:2: deep")
    #expect(keyboard.error("\nx.y = 1").hasPrefix("repl:6: attempt to index a nil value"))
    #expect(keyboard.error("x = = 1") == "repl:7: unexpected symbol near '='")
    #expect(try keyboard.enter("1") == "1")
  }

  @Test func namesThatMayFollow() throws {
    try keyboard.enter("mine = { one = 1, inner = { two = 2 } }; counts = count(); text = 'x'")
    let session = keyboard.session
    #expect(session.members(of: ["mine"]) == ["inner", "one"])
    #expect(session.members(of: ["mine", "inner"]) == ["two"])
    #expect(session.members(of: ["counts"], isMethod: true).contains("percentile"))
    #expect(session.members(of: ["text"], isMethod: true).contains("format"))
    #expect(session.members(of: ["nothing"]) == [])
    #expect(Set(["mine", "probe", "lhist", "print", "bpf"]).isSubset(of: session.members(of: [])))
    #expect(Set(["pid", "comm", "kstack"]).isSubset(of: session.kernelValues))
  }

  // MARK: Batches

  private static let calls = "t:syscalls:sys_enter_getpriority"

  private func callPriority(_ count: Int = 1) {
    for _ in 0..<count { _ = getpriority(0, 0) }
  }

  @Test func probesShareWhatIsThere() throws {
    try keyboard.enter("seen, calls, g = map(), count(), global{ n = 0 }; me = \(getpid())")
    let first = keyboard.session.evaluate(
      "probe('\(Self.calls)', function() if pid == me then seen[1] = (seen[1] or 0) + 1; calls:add(1) end end)")
    #expect(first == .done(value: "stream", probes: [1]))
    callPriority(2)
    try keyboard.enter(
      """
      probe('\(Self.calls)', function()
        if pid == me then seen[2] = seen[1]; calls:add(1); g.n = g.n + 1 end
      end)
      """)
    callPriority()
    #expect(try keyboard.enter("seen") == "{ [1] = 3, [2] = 3 }")
    #expect(try keyboard.enter("calls") == "calls: 4")
    #expect(try keyboard.enter("g") == "{ n = 1 }")
    #expect(keyboard.session.stopProbe(1))
    #expect(!keyboard.session.stopProbe(1))
    callPriority()
    #expect(try keyboard.enter("calls") == "calls: 5")
    #expect(keyboard.session.probes.map(\.number) == [2])
    #expect(try keyboard.session.tables().map(\.name) == ["seen", "calls"])
    #expect(try keyboard.finish() == "calls: 5\n")
  }

  @Test func extremesOfAllBatchesStartOverTogether() throws {
    try keyboard.enter("top = max(); me = \(getpid())")
    for value in [5, 9] {
      try keyboard.enter("probe('\(Self.calls)', function() if pid == me then top:add(\(value)) end end)")
    }
    callPriority()
    #expect(try keyboard.enter("top:drain()[1].value") == "9")
    #expect(try keyboard.enter("top") == "top: (no values)")
    #expect(keyboard.session.stopProbe(2))
    callPriority()
    #expect(try keyboard.enter("top") == "top: 5")
  }

  @Test func eventsOfLaterBatchesComeToo() throws {
    try keyboard.enter("got, me = {}, \(getpid())")
    for number in 1...2 {
      try keyboard.enter(
        """
        s\(number) = probe('\(Self.calls)', function() if pid == me then return { n\(number) = \(number) } end end)
          :each(function(e) got[#got + 1] = e.n\(number) end)
        """)
    }
    try keyboard.enter("s1:each(function(e) got[#got + 1] = 'again' end)")
    callPriority()
    _ = try keyboard.finish()
    #expect(try keyboard.enter("table.concat(got, ' ')") == "\"1 again 2\"")
  }

  @Test func typesStayWhatTheyAre() throws {
    try keyboard.enter("m = map(); probe('\(Self.calls)', function() m[pid] = 1 end)")
    let error = keyboard.error("probe('\(Self.calls)', function()\n m[pid] = comm\nend)")
    #expect(error.hasPrefix("repl:3: the values of map 'm' are integers elsewhere, and text here"), "\(error)")
    let optional = keyboard.error("probe('\(Self.calls)', function() m[pid] = { m[3] } end)")
    #expect(optional.contains("the values of map 'm' are integers"), "\(optional)")
  }

  @Test func textsThatAreTooLongForALiveMapAreRefused() throws {
    try keyboard.enter("m = map(); probe('\(Self.calls)', function() m[pid] = comm end)")
    let error = keyboard.error("probe('t:syscalls:sys_enter_openat', function(args) m[pid] = str(args.filename) end)")
    #expect(error.contains("in the probes that run already, and these do not fit"), "\(error)")
  }

  // MARK: Failures

  @Test func whatAFailedChunkRegisteredIsForgotten() throws {
    try keyboard.enter("m, n, got = map(), count(), 0")
    try keyboard.enter("s = probe('\(Self.calls)', function() if pid == \(getpid()) then return { x = 1 } end end)")
    let error = keyboard.error(
      """
      probe('\(Self.calls)', function() m[comm] = 1; n[comm]:add(1); count(cpu) end)
      s:each(function() got = got + 1 end)
      every(0.001, function() got = 1000 end)
      at_exit(function() print("forgotten") end)
      error("broken")
      """)
    #expect(error == "repl:7: broken")
    #expect(keyboard.session.probes.map(\.number) == [1])
    // The types that only the failed chunk showed are open again.
    let mine = "if pid == \(getpid()) then n:add(1) end"
    let second = keyboard.session.evaluate("probe('\(Self.calls)', function() m[pid] = comm; \(mine) end)")
    #expect(second == .done(value: "stream", probes: [2]))
    callPriority()
    #expect(keyboard.session.session.timers.isEmpty)
    let printed = try keyboard.finish()
    #expect(printed.contains("X\n") && printed.hasSuffix("n: 1\n"), "\(printed)")
    #expect(!printed.contains("forgotten") && !printed.contains("count"), "\(printed)")
    #expect(try keyboard.enter("got") == "0")
  }

  @Test func aChunkOfWhichAProbeCannotAttachAttachesNone() throws {
    try keyboard.enter("m = map()")
    let error = keyboard.error(
      """
      probe('\(Self.calls)', function() m[pid] = 1 end)
      probe('uprobe:/bin/true:0xffffff0', function() m[pid] = 2 end)
      """)
    #expect(error.contains("repl:3") || error.contains("0xffffff0"), "\(error)")
    #expect(keyboard.session.probes.isEmpty)
  }

  @Test func registeringOutsideOfAChunkIsRefused() throws {
    try keyboard.enter("function later() probe('\(Self.calls)', function() end) end")
    try keyboard.enter("after(0.001, function() ok, why = pcall(later); exit() end)")
    #expect(try keyboard.session.wait() == .ended)
    #expect(try keyboard.enter("why")?.contains("the trace runs already") == true)
  }

  // MARK: Scripts

  @Test(arguments: [
    (Chunk(text: "x = 1", kind: .statement), "x = 1"), (Chunk(text: "1 +\n1", kind: .expression), "-- 1 +\n-- 1"),
    (Chunk(text: "local a = 1 -- b", kind: .statement), "do\nlocal a = 1 -- b\nend"),
    (Chunk(text: "return 1", kind: .returning), "(function()\nreturn 1\nend)()"),
  ])
  func chunksBecomeParts(_ chunk: Chunk, _ text: String) {
    #expect(chunk.scriptText == text)
  }

  @Test func chunksThatFailedAreNoParts() throws {
    try keyboard.enter("x = 1")
    _ = keyboard.error("x.y.z = 1")
    try keyboard.enter("x")
    try keyboard.enter("print(x)")
    try keyboard.enter("do return end")
    try keyboard.enter("return x")
    #expect(keyboard.session.chunks.map(\.kind) == [.statement, .expression, .statement, .statement, .returning])
  }
}
