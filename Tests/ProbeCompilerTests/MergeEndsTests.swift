import BPFAssembly
import Testing

@testable import ProbeCompiler

/// How branches and ends of functions become few instructions.
@Suite struct MergeEndsTests {
  private func text(_ function: IRFunction) throws -> [String] {
    let program = IRProgram(functions: [function], scratch: TestMaps.scratch)
    return try generate(program, name: "ends").assembled.lines().map(\.text)
  }

  /// Asks three times, and counts in a counter of its own when the answer is not 0.
  @Test func failuresShareTheirEnd() throws {
    var builder = FunctionBuilder()
    for number in Int32(0)..<3 {
      builder.block()
      let answer = builder.value(.call(.getPrandomU32, []))
      let (failure, next) = (BlockID(number: 2 * number + 1), BlockID(number: 2 * number + 2))
      builder.end(
        .branch(.ne, .value(answer), .constant(0), IRTarget(block: failure), IRTarget(block: next)))
      builder.block(isCold: true)
      builder.add(.atomic(.add, .mapValue(TestMaps.results, 8 * number), 0, .constant(1), expected: nil))
    }
    builder.block()
    let lines = try text(builder.function)
    #expect(lines.filter { $0 == "exit" }.count == 1)
    #expect(lines.filter { $0.hasPrefix("lock") }.count == 1)
    #expect(lines.filter { $0.contains("map[") }.count == 3)
  }

  @Test func answersAreKeptApart() throws {
    var builder = FunctionBuilder()
    builder.block()
    let random = builder.value(.call(.getPrandomU32, []))
    let targets = (1...4).map { IRTarget(block: BlockID(number: $0)) }
    builder.end(.branch(.gt, .value(random), .constant(5), targets[0], targets[1]))
    builder.block()
    builder.end(.branch(.gt, .value(random), .constant(9), targets[2], targets[3]))
    for answer in [Int64(0), 1, 0] {
      builder.block()
      builder.end(.exit(.constant(answer)))
    }
    let lines = try text(builder.function)
    #expect(lines.filter { $0 == "exit" }.count == 2)
    #expect(lines.contains("r0 = 1"))
  }

  /// `status >= 0` as the frontend asks for it, once alone and once together with another question.
  @Test func testsOfAStatusAreSingleJumps() throws {
    var builder = FunctionBuilder()
    builder.block()
    let status = builder.value(.load(.mapValue(TestMaps.results, 0), 0, .double, signed: false))
    let other = builder.value(.load(.mapValue(TestMaps.results, 8), 0, .double, signed: false))
    let sign = builder.value(.binary(.arsh, .value(status), .constant(63)))
    let isThere = builder.value(
      .binary(.and, .value(builder.value(.binary(.xor, .value(sign), .constant(-1)))), .constant(2)))
    let first = builder.value(.compare(.eq, .value(isThere), .constant(2)))
    let second = builder.value(.compare(.eq, .value(other), .constant(7)))
    let both = builder.value(.binary(.and, .value(first), .value(second)))
    let targets = (1...2).map { IRTarget(block: BlockID(number: $0)) }
    builder.end(.branch(.ne, .value(both), .constant(0), targets[0], targets[1]))
    builder.block()
    builder.add(.store(.mapValue(TestMaps.results, 16), 0, .double, .constant(1)))
    builder.block()
    let lines = try text(builder.function)
    #expect(
      lines.filter { $0.hasPrefix("if") }.map { String($0.prefix { $0 != "g" }) } == ["if r5 s< 0x0 ", "if r0 != 0x7 "])
    #expect(!lines.contains { $0.contains("s>>=") })
  }
}
