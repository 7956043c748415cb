import CLuaBridge
import KernelLoader
import KernelTestSupport
import LuaRuntime
import RandomTestSupport
import Support
import Testing

@testable import ProbeCompiler
@testable import Tracing

/// Aggregates in the kernel, fed by the test in the place of probes.
final class AggregateBench {
  let harness: SessionHarness

  /// - Parameter declaration: makes the aggregate `a`, such as `a = count()`.
  init(_ declaration: String, key: DataType, format: OutputFormat = .table) throws {
    harness = try SessionHarness(format: format)
    try harness.run(declaration)
    let probes = harness.session.probes
    probes.nameObjects()
    probes.compiler.schema.aggregates[0].key = key
    try aggregate.create(probes.compiler.schema.aggregates[0], namer: probes.namer.core)
  }

  var aggregate: ScriptAggregate { harness.session.probes.aggregates[0] }

  static let cpus = MapOperations.possibleCPUs

  /// Writes an entry; `slots` are the words of the first CPUs.
  func store(_ key: [UInt8], _ slots: [[Int64]]) throws {
    let map = try #require(aggregate.map)
    let words = map.definition.valueSize / 8
    let all = (0..<Self.cpus).flatMap { $0 < slots.count ? slots[$0] : [Int64](repeating: 0, count: words) }
    try map.update(key, to: all.flatMap { word in withUnsafeBytes(of: word) { Array($0) } })
  }

  static func text(_ text: String) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: 16 - text.utf8.count)
  }

  static func number(_ number: Int64) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

  static func index(_ index: UInt32) -> [UInt8] { withUnsafeBytes(of: index) { Array($0) } }

  /// What `a:print(options)` prints.
  func printed(_ options: String = "") throws -> String {
    try harness.run("a:print(\(options))")
    return try harness.printed()
  }
}

@Suite(.requires(.root)) struct AggregateTests {
  private static let comm = DataType.string(capacity: 16)

  private func counts(_ format: OutputFormat = .table) throws -> AggregateBench {
    let bench = try AggregateBench("a = count()", key: Self.comm, format: format)
    try bench.store(AggregateBench.text("bash"), [[3], [4]])
    try bench.store(AggregateBench.text("systemd"), [[0], [120]])
    try bench.store(AggregateBench.text("a\u{1b}[31m"), [[1]])
    return bench
  }

  @Test func countsOfAllCPUsAreSummed() throws {
    let bench = try counts()
    #expect(try bench.harness.text(of: "return a.bash .. ' ' .. a['systemd'] .. ' ' .. tostring(a.zsh)") == "7 120 nil")
    #expect(
      try bench.harness.text(
        of: "local t = {} for i, r in ipairs(a:rows()) do t[i] = r.key .. '=' .. r.value end return t[1] .. t[2]")
        == "systemd=120bash=7")
  }

  @Test func tablesAreSortedAndHarmless() throws {
    #expect(
      try counts().printed() == """
        a          count
        systemd      120  ******************************
        bash           7  *
        a\\x1b[31m      1

        """)
    #expect(
      try counts().printed("{ top = 1, title = 'calls of programs', unit = 'calls' }") == """
        calls of programs  count (calls)
        systemd                      120

        """)
  }

  @Test func jsonIsOneLineForAnAggregate() throws {
    #expect(
      try counts(.json).printed()
        == #"{"aggregate":"a","type":"count","data":[{"key":["systemd"],"value":120},{"key":["bash"],"value":7},"#
        + #"{"key":["a\u001b[31m"],"value":1}]}"# + "\n")
  }

  @Test func csvHasARowForAKey() throws {
    #expect(
      try counts(.csv).printed() == "aggregate,key,value\na,systemd,120\na,bash,7\na,a\u{1b}[31m,1\n")
  }

  @Test func clearingStartsOver() throws {
    let bench = try counts()
    #expect(try bench.harness.text(of: "a:clear() return #a:rows()") == "0")
    let plain = try AggregateBench("a = count()", key: .tuple([]))
    try plain.store(AggregateBench.index(0), [[5], [6]])
    #expect(
      try plain.harness.text(of: "local before = a:value() a:clear() return before .. ' ' .. a:value()") == "11 0")
  }

  @Test func withoutAKeyThereIsOneValue() throws {
    let bench = try AggregateBench("local calls = count{ name = 'calls' }; a = calls", key: .tuple([]))
    #expect(try bench.harness.text(of: "return a:rows()[1].value .. tostring(a:rows()[1].key)") == "0nil")
    try bench.store(AggregateBench.index(0), [[5], [6]])
    #expect(try bench.printed("{ unit = 'opens' }") == "calls: 11 opens\n")
  }

  @Test func tuplesAreListsInTheUserHalf() throws {
    let bench = try AggregateBench("a = sum()", key: .tuple([.integer, Self.comm]))
    try bench.store(AggregateBench.number(12) + AggregateBench.text("ls"), [[-5], [1]])
    try bench.store(AggregateBench.number(1234) + AggregateBench.text("bash"), [[.max], [1]])
    #expect(try bench.harness.text(of: "return a[{12, 'ls'}] .. ' ' .. a:rows()[1].key[2]") == "-4 ls")
    #expect(
      try bench.printed() == """
        a                           sum
          12 ls                      -4
        1234 bash  -9223372036854775808

        """)
  }

  @Test func meansAreExactWhereTheyCanBe() throws {
    let bench = try AggregateBench("a = avg()", key: .integer)
    try bench.store(AggregateBench.number(1), [[1, 3], [2, 3]])
    try bench.store(AggregateBench.number(2), [[1, 3], [1, 4]])
    #expect(
      try bench.harness.text(of: "return math.type(a[1]) .. a[1] .. ' ' .. a[2] .. tostring(a[3])") == "integer2 3.5nil"
    )
    #expect(try bench.printed() == "a   avg\n2  3.50  ******************************\n1     2  *****************\n")
  }

  @Test func extremesComeFromCPUsThatHaveOne() throws {
    let least = try AggregateBench("a = min()", key: .integer)
    try least.store(AggregateBench.number(1), [[0, 0], [1, 7]])
    #expect(try least.harness.text(of: "return a[1]") == "7")
    let most = try AggregateBench("a = max()", key: .integer)
    try most.store(AggregateBench.number(1), [[1, -8], [1, -7]])
    try most.store(AggregateBench.number(2), [[0, 0], [1, -3]])
    #expect(try most.harness.text(of: "return a[1] .. ' ' .. a[2]") == "-7 -3")
    let none = try AggregateBench("a = min()", key: .tuple([]))
    #expect(try none.harness.text(of: "return tostring(a:value()) .. #a:rows()") == "nil0")
    #expect(try none.printed() == "a: (no values)\n")
  }

  @Test func statisticsHaveAllFigures() throws {
    let bench = try AggregateBench("a = stats()", key: Self.comm, format: .json)
    try bench.store(AggregateBench.text("x"), [[2, 10, 4, 6, 1], [1, -1, -1, -1, 1]])
    #expect(
      try bench.printed() == #"{"aggregate":"a","type":"stats","data":[{"key":["x"],"#
        + #""value":{"avg":3,"count":3,"max":6,"min":-1,"sum":9}}]}"# + "\n")
    let table = try AggregateBench("a = stats()", key: .tuple([]))
    try table.store(AggregateBench.index(0), [[2, 10, 4, 6, 1]])
    #expect(try table.printed() == "a  count  avg  min  max  sum\n       2    5    4    6   10\n")
  }

  // MARK: Histograms

  @Test func logarithmicBucketsHaveClosedBounds() throws {
    let bench = try AggregateBench("a = hist()", key: .tuple([]), format: .json)
    for (bucket, count) in [(0, 1), (1, 2), (2, 3), (4, 5), (64, 6)] {
      try bench.store(AggregateBench.index(UInt32(bucket)), [[Int64(count)]])
    }
    let line = try bench.printed()
    #expect(
      line.hasPrefix(
        #"{"aggregate":"a","type":"hist","data":[{"key":[],"value":[{"count":1,"max":-1,"min":-9223372036854775808},"#
          + #"{"count":2,"max":0,"min":0},{"count":3,"max":1,"min":1},{"count":0,"max":3,"min":2},"#
          + #"{"count":5,"max":7,"min":4},"#))
    #expect(line.hasSuffix(#"{"count":6,"max":9223372036854775807,"min":4611686018427387904}]}]}"# + "\n"))
  }

  @Test func linearBucketsCountWhatLiesOutside() throws {
    let bench = try AggregateBench("a = lhist(-10, 15, 10)", key: .integer)
    for (bucket, count) in [(0, 1), (1, 2), (3, 4), (4, 8)] {
      try bench.store(AggregateBench.number(5) + AggregateBench.number(Int64(bucket)), [[Int64(count)]])
    }
    #expect(
      try bench.printed("{ unit = 'ms' }") == """
        a = 5
        time            : count  distribution
        < -10 ms        :     1  |*****                                   |
        [-10 ms,  0 ms) :     2  |**********                              |
        [  0 ms, 10 ms) :     0  |                                        |
        [ 10 ms, 15 ms) :     4  |********************                    |
        >= 15 ms        :     8  |****************************************|

        """)
    #expect(try bench.harness.text(of: "return #a[5] .. a[5][2].min .. a[5][2].max .. tostring(a[6])") == "5-10-1nil")
  }

  @Test func percentilesLieInTheirBucket() throws {
    let bench = try AggregateBench("a = hist()", key: .tuple([]))
    try bench.store(AggregateBench.index(5), [[50], [0]])  // 8 to 15
    try bench.store(AggregateBench.index(9), [[25], [25]])  // 128 to 255
    #expect(try bench.harness.text(of: "return a:percentile(50) .. ' ' .. a:percentile(100)") == "15 255")
    let median = try #require(Int(try bench.harness.text(of: "return a:value():percentile(75)")))
    #expect((128...255).contains(median))
    #expect(bench.harness.error("a:percentile(101)") == "x.lua:1: percentile: expected 0 to 100, got 101")
  }

  @Test func nothingCountedIsTold() throws {
    #expect(try AggregateBench("a = hist()", key: .integer).printed() == "a\n(no values)\n")
    #expect(try AggregateBench("a = count()", key: .integer).printed() == "a: (no values)\n")
    #expect(
      try AggregateBench("a = count()", key: .integer, format: .json).printed()
        == #"{"aggregate":"a","type":"count","data":[]}"# + "\n")
  }

  @Test func keysOfAnotherTypeAreRefused() throws {
    let bench = try counts()
    #expect(bench.harness.error("return a[1]") == "x.lua:1: aggregate: key: expected a string, got 1")
  }

  @Test func titlesCanBeLeftOut() throws {
    let one = try AggregateBench("a = count()", key: .tuple([]))
    try one.store(AggregateBench.index(0), [[5]])
    #expect(try one.printed("{ title = '' }") == "5\n")
    let picture = try AggregateBench("a = hist()", key: .integer)
    #expect(try picture.printed("{ title = '' }") == "(no values)\n")
    try picture.store(AggregateBench.number(7) + AggregateBench.number(1), [[2]])
    #expect(try picture.printed("{ title = '' }").hasPrefix("(no values)\n7\nvalue  : count"))
    let plain = try AggregateBench("a = hist()", key: .tuple([]))
    try plain.store(AggregateBench.index(1), [[2]])
    #expect(try plain.printed("{ title = '' }").hasPrefix("value  : count"))
  }

  // MARK: Against plain Lua

  /// The words that the kernel would have made of values, per CPU, against the same in Lua.
  @Test(arguments: ["count", "sum", "avg", "min", "max", "stats"])
  func randomValuesAddUpAsInLua(_ function: String) throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let bench = try AggregateBench("a = \(function)()", key: .integer)
    for key in 1...20 {
      let values = (0..<Self.cpus).map { _ in
        (0..<Int.random(in: 0...5, using: &random)).map { _ in Int64.random(in: -1000...1000, using: &random) }
      }
      try bench.store(AggregateBench.number(Int64(key)), values.map { Self.words(function, $0) })
      let list = values.joined().map { "\($0)" }.joined(separator: ", ")
      let same = try bench.harness.text(of: Self.check.replacing("LIST", with: list, "KEY", with: "\(key)", function))
      #expect(same == "true", "\(function) of \(list), seed \(seed)")
    }
  }

  private static var cpus: Int { AggregateBench.cpus }

  private static func words(_ function: String, _ values: [Int64]) -> [Int64] {
    let (count, sum) = (Int64(values.count), values.reduce(0, +))
    switch function {
    case "count": return [count]
    case "sum": return [sum]
    case "avg": return [count, sum]
    case "min": return [count == 0 ? 0 : 1, values.min() ?? 0]
    case "max": return [count == 0 ? 0 : 1, values.max() ?? 0]
    default: return [count, sum, values.min() ?? 0, values.max() ?? 0, count == 0 ? 0 : 1]
    }
  }

  private static let check = """
    local values, total = { LIST }, 0
    for _, v in ipairs(values) do total = total + v end
    local n = #values
    local least = n > 0 and math.min(table.unpack(values)) or nil
    local most = n > 0 and math.max(table.unpack(values)) or nil
    local got = a[KEY]
    local wanted = { count = n > 0 and n or nil, sum = total, avg = n > 0 and total / n or nil, min = least, max = most }
    if "FUNCTION" ~= "stats" then return got == wanted.FUNCTION end
    if n == 0 then return got == nil end
    for name, value in pairs(wanted) do if got[name] ~= value then return false end end
    return true
    """
}

extension String {
  fileprivate func replacing(
    _ first: String, with value: String, _ second: String, with other: String, _ function: String
  ) -> String {
    replacing(first, with: value).replacing(second, with: other).replacing("FUNCTION", with: function)
  }
}
