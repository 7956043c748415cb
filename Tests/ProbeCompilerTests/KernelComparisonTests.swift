import BPFAssembly
import KernelTestSupport
import RandomTestSupport
import Support
import Testing

@testable import ProbeCompiler

/// Compiled programs do in the kernel what their IR says.
@Suite(.requires(.root)) struct KernelComparisonTests {
  private static let inputs: [[Int64]] = [
    [0, 0, 0, 0, 0, 0], [1, -1, 2, 3, 5, 8], [.max, .min, -2, 0x1_0000_0000, 255, 0x8000_0000],
  ]

  @Test func randomProgramsGiveTheSame() throws {
    let seed = SeededGenerator.seed(for: "KernelComparisonTests")
    let maps = try TestMaps()
    for number in 0..<140 {
      let program = ProgramGenerator.program(seed: seed &+ UInt64(number))
      try compare(program, maps, "seed \(seed &+ UInt64(number))", prepare: { try optimize(&$0) })
    }
  }

  /// A loop's body that ended with the quotient itself, for it could only be 0: the verifier doesn't know that.
  @Test(arguments: [1_269_914_546]) func programsThatWereRefusedOnce(seed: UInt64) throws {
    try compare(ProgramGenerator.program(seed: seed), TestMaps(), "seed \(seed)", prepare: { try optimize(&$0) })
  }

  /// Without the passes that simplify, code generation meets forms that they would have removed.
  @Test func randomProgramsGiveTheSameUnsimplified() throws {
    let seed = SeededGenerator.seed(for: "KernelComparisonTests, unsimplified")
    let maps = try TestMaps()
    for number in 0..<60 {
      let program = ProgramGenerator.program(seed: seed &+ UInt64(number))
      try compare(program, maps, "seed \(seed &+ UInt64(number))") { program in
        for number in program.functions.indices { GuardLoops.run(&program.functions[number]) }
        PlaceMemory.run(&program)
      }
    }
  }

  @Test(arguments: [StackPolicy.values, .scarce]) func randomProgramsGiveTheSameWithLessStack(_ policy: StackPolicy)
    throws
  {
    let seed = SeededGenerator.seed(for: "KernelComparisonTests, \(policy)")
    let maps = try TestMaps()
    for number in 0..<60 {
      let program = ProgramGenerator.program(seed: seed &+ UInt64(number))
      try compare(program, maps, "seed \(seed &+ UInt64(number))", prepare: { try optimize(&$0, policy) })
    }
  }

  private func compare(
    _ program: IRProgram, _ maps: TestMaps, _ name: String, prepare: (inout IRProgram) throws -> Void
  ) throws {
    var text = "\(name)\n\(program.text())"
    do {
      try IRCheck.verify(program)
      var optimized = program
      try prepare(&optimized)
      text += "optimized:\n\(optimized.text())"
      let assembled = try emit(optimized, name: "random")
      text += assembled.lines().map { "\($0)\n" }.joined()
      try run(program, assembled, maps)
    } catch {
      // More values at a time than the stack has room for is no mistake.
      if (error as? MoontraceError)?.code != .unsupported { throw Failure(description: "\(error)\n\(text)") }
    }
  }

  private func run(_ program: IRProgram, _ assembled: AssembledProgram, _ maps: TestMaps) throws {
    let run = try KernelRun(assembled, descriptor: maps.descriptor)
    for input in Self.inputs {
      try run(arguments: input)
      let results = maps.takeResults()
      let expected = Interpreter.results(of: program, arguments: input)
      if results != expected { throw Failure(description: "\(input) gives \(results), not \(expected)") }
    }
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }
}
