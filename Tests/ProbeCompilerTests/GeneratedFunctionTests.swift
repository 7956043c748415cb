import Glibc
import KernelTestSupport
import RandomTestSupport
import Support
import Testing

/// Random functions give the same in the kernel as in Lua, or are refused where they can't be compiled.
///
/// `MOONTRACE_TEST_CASES=20000` tries that many functions, `MOONTRACE_TEST_SEED` repeats a run.
@Suite(.requires(.root)) struct GeneratedFunctionTests {
  /// How many functions are tried, and what became of them.
  struct Outcomes {
    var accepted = 0
    var calls = 0
    var failedCalls = 0
    var refusals: [String: Int] = [:]

    var refused: Int { refusals.values.reduce(0, +) }

    var summary: String {
      let reasons = refusals.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "  \($0.value) × \($0.key)" }
      let share = refused * 100 / max(1, accepted + refused)
      return """
        generated functions: \(accepted) accepted, \(refused) refused (\(share) %), \
        \(calls) calls, \(failedCalls) of them ended with an error
        \(reasons.joined(separator: "\n"))
        """
    }
  }

  static var count: Int {
    getenv("MOONTRACE_TEST_CASES").flatMap { Int(String(cString: $0)) } ?? 300 / Need.slowdown
  }

  @Test func giveTheSameAsLua() throws {
    let seed = SeededGenerator.seed(for: "generated functions")
    var outcomes = Outcomes()
    for number in 0..<UInt64(Self.count) {
      var generator = LuaGenerator(seed: seed &+ number)
      try Self.check(generator.script(), triples(&generator.random), seed &+ number, &outcomes)
    }
    print(outcomes.summary)
    // A generator that is mostly refused proves nothing.
    #expect(outcomes.refused * 100 <= max(Self.count, 100) * 15)
    #expect(outcomes.failedCalls * 2 <= outcomes.calls)
  }

  private static func check(_ text: String, _ triples: [[Int64]], _ seed: UInt64, _ outcomes: inout Outcomes) throws {
    let inKernel: KernelFunction
    do {
      inKernel = try KernelFunction(text)
    } catch let refusal as MoontraceError {
      #expect(refusal.location?.hasPrefix("test:") == true, "\(refusal) has no place; seed \(seed):\n\(text)")
      outcomes.refusals[kind(of: refusal), default: 0] += 1
      return
    } catch {
      Issue.record("seed \(seed): \(error)\n\(text)")
      return
    }
    outcomes.accepted += 1
    let script = try TestScript()
    let inLua = try script.load("\(text) return f")
    for arguments in triples {
      let (lua, kernel) = (script.call(inLua, arguments), try inKernel(arguments))
      outcomes.calls += 1
      if lua == nil { outcomes.failedCalls += 1 }
      guard lua != kernel else { continue }
      Issue.record(
        """
        seed \(seed), \(arguments): \(lua ?? "an error") in Lua, \(kernel ?? "an error") in the kernel, \
        whose errors are \(inKernel.errors)
        \(text)
        """)
      return
    }
  }

  /// A refusal's message without names and numbers.
  private static func kind(of refusal: MoontraceError) -> String {
    let text = refusal.message.split(separator: " (local")[0]
    return text.split(separator: "'").enumerated().map { $0 % 2 == 0 ? String($1) : "…" }.joined(separator: "'")
  }

  private func triples(_ random: inout SeededGenerator) -> [[Int64]] {
    (0..<12).map { _ in (0..<3).map { _ in Self.integer(&random) } }
  }

  private static func integer(_ random: inout SeededGenerator) -> Int64 {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: Int64.random(in: -20...20, using: &random)
    case 1: LuaEqualityTests.interesting.randomElement(using: &random) ?? 0
    case 2: Int64(1) << Int64.random(in: 0..<63, using: &random) &- Int64.random(in: 0...1, using: &random)
    default: Int64.random(in: .min ... .max, using: &random)
    }
  }
}
