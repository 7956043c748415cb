import Glibc
import KernelTestSupport
import Support
import Testing

@testable import ProbeCompiler
@testable import Tracing

/// What is handed out of aggregates while they are fed, and what is named of it.
@Suite(.requires(.root)) struct AggregateDrainTests {
  // MARK: Emptying

  private static let drained = """
    local parts = {}
    for i, r in ipairs(a:drain()) do
      local v = r.value
      parts[i] = r.key .. "=" .. (math.type(v) and v or table.concat({ v.count, v.sum, v.min, v.max }, "/"))
    end
    return table.concat(parts, " ")
    """

  @Test func aDrainHandsOutWhatCameSinceTheLastOne() throws {
    let bench = try AggregateBench("a = count()", key: .integer)
    try bench.store(AggregateBench.number(1), [[3], [4]])
    try bench.store(AggregateBench.number(2), [[5]])
    #expect(try bench.harness.text(of: Self.drained) == "1=7 2=5")
    #expect(try bench.harness.text(of: Self.drained) == "")
    #expect(try bench.harness.text(of: "return #a:rows() .. tostring(a[1])") == "0nil")
    try bench.store(AggregateBench.number(1), [[3], [6]])
    try bench.store(AggregateBench.number(3), [[1]])
    #expect(try bench.harness.text(of: "return a[1] .. ' ' .. #a:rows()") == "2 2")
    #expect(try bench.harness.text(of: Self.drained) == "1=2 3=1")
  }

  @Test func statisticsAreDrainedWithTheirOwnExtremes() throws {
    let bench = try AggregateBench("a = stats()", key: .integer)
    try bench.store(AggregateBench.number(1), [[2, 10, 4, 6, 1], [1, -1, -1, -1, 1]])
    #expect(try bench.harness.text(of: Self.drained) == "1=3/9/-1/6")
    // The second epoch has begun on the first CPU only.
    try bench.store(AggregateBench.number(1), [[3, 15, 5, 5, 2], [1, -1, -1, -1, 1]])
    #expect(try bench.harness.text(of: Self.drained) == "1=1/5/5/5")
    // A probe that had looked at the second epoch before it ended, and counts now: late, but not lost.
    try bench.store(AggregateBench.number(1), [[3, 15, 5, 5, 2], [2, 7, 8, 8, 2]])
    #expect(try bench.harness.text(of: Self.drained) == "1=1/8/5/8")
    #expect(try bench.harness.text(of: Self.drained) == "")
  }

  @Test func extremesAloneAreDrained() throws {
    let bench = try AggregateBench("a = max()", key: .integer)
    try bench.store(AggregateBench.number(1), [[1, 9], [1, 3]])
    #expect(try bench.harness.text(of: Self.drained) == "1=9")
    #expect(try bench.harness.text(of: Self.drained) == "")
    try bench.store(AggregateBench.number(1), [[1, 9], [3, -2]])
    #expect(try bench.harness.text(of: "return a[1] .. ' ' .. #a:rows()") == "-2 1")
    #expect(try bench.harness.text(of: Self.drained) == "1=-2")
  }

  /// Keys that nothing comes to any more leave only when room gets scarce.
  @Test func drainsMakeRoom() throws {
    let bench = try AggregateBench("a = count{ max = 8 }", key: .integer)
    let map = try #require(bench.aggregate.map)
    for key in 1...4 { try bench.store(AggregateBench.number(Int64(key)), [[1]]) }
    for _ in 1...3 { _ = try bench.harness.text(of: Self.drained) }
    #expect(try map.entries().count == 4)
    for key in 5...6 { try bench.store(AggregateBench.number(Int64(key)), [[1]]) }
    #expect(try bench.harness.text(of: Self.drained) == "5=1 6=1")
    #expect(Set(try map.entries().map { $0.key[0] }) == [5, 6])
    try bench.store(AggregateBench.number(1), [[2]])
    #expect(try bench.harness.text(of: Self.drained) == "1=2")
  }

  // MARK: Stacks

  /// Runs without user stacks do no work for them.
  @Test func processesAreWatchedWhereTheirStacksAreCounted() throws {
    func watched(_ key: DataType) throws -> Bool {
      let session = try AggregateBench("a = count()", key: key).harness.session
      return StackProcesses(session.probes, session.userSymbols) != nil
    }
    #expect(try !watched(.tuple([.integer, DataType.string(capacity: 16)])))
    #expect(try !watched(.named(.kernelStack(depth: 127, frames: nil), words: 1)))
    #expect(try watched(.named(.userStack(depth: 127), words: 2)))
    #expect(try watched(.tuple([DataType.string(capacity: 16), .optional(.named(.userSymbol, words: 2))])))
  }

  // MARK: The largest

  /// Naming takes long, so what `top` cuts away stays unnamed.
  @Test func onlyWhatIsShownGetsNamed() throws {
    let bench = try AggregateBench("a = count()", key: .named(.kernelSymbol, words: 1))
    for key in 1...50 { try bench.store(AggregateBench.number(Int64(key)), [[Int64(key)]]) }
    let namer = bench.harness.session.probes.namer.core
    let namings = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    namings.initialize(to: 0)
    defer { namings.deallocate() }
    let own = namer.pointee
    namer.pointee.context = UnsafeMutableRawPointer(namings)
    namer.pointee.text = { context, _, _, _, length in
      context?.assumingMemoryBound(to: Int.self).pointee += 1
      length?.pointee = 4
      return UnsafePointer(strdup("name"))
    }
    defer { namer.pointee = own }
    #expect(
      try bench.printed("{ top = 2 }") == "a     count\nname     50  ******************************\n"
        + "name     49  *****************************\n")
    #expect(namings.pointee == 2)
  }

  @Test(arguments: [
    ("avg", "[[2, 9]]", "[[1, 4]]"), ("min", "[[1, -3]]", "[[1, -4]]"), ("sum", "[[-1]]", "[[-2]]"),
    ("stats", "[[2, 1, 1, 1, 1]]", "[[1, 9, 9, 9, 1]]"),
  ])
  func theLargestComeFirst(_ function: String, _ more: String, _ less: String) throws {
    func words(_ text: String) -> [Int64] {
      text.split { "[], ".contains($0) }.compactMap { Int64($0) }
    }
    let bench = try AggregateBench("a = \(function)()", key: .integer, format: .csv)
    try bench.store(AggregateBench.number(1), [words(less)])
    try bench.store(AggregateBench.number(2), [words(more)])
    let rows = try bench.printed("{ top = 1 }").split(separator: "\n")
    #expect(rows.count == 2 && rows[1].hasPrefix("a,2,"))
  }
}
