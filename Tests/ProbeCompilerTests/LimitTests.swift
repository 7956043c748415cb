import Glibc
import KernelTestSupport
import Support
import Testing

@testable import ProbeCompiler

/// What a probe may grow to, and how long its loops may run.
@Suite(.requires(.root)) struct LimitTests {
  private static func compile(_ text: String) throws {
    let script = try TestScript()
    let probe = try script.load(text)
    var compiler = ProbeCompiler(host: script, types: { nil })
    compiler.schema.streamCount = 1
    let word = ProbeContext.Argument.Source.word(offset: 0, width: .double, signed: false)
    try compiler.add(
      probe, at: ProbeContext(spec: "rawtracepoint:test", kind: .rawTracepoint, positional: [word]), stream: 0)
    _ = try compiler.finish()
  }

  /// Thirty functions, each of which calls the next one twice: 2^30 calls.
  @Test(arguments: ["return f%d(x) + f%d(x + 1)", "f%d(x) f%d(x)", "for i = 1, 2 do f%d(x) end return f%d(x)"])
  func callsThatDouble(_ body: String) throws {
    let lines = (0..<30).reversed().map { level in
      "local function f\(level)(x) \(level == 29 ? "return x" : body.replacing("%d", with: "\(level + 1)")) end"
    }
    let text = lines.joined(separator: "\n") + "\nreturn function() return f0(arg0) end"
    let (refusal, took) = try threadTime {
      try #require(throws: MoontraceError.self) { try Self.compile(text) }
    }
    print("refused after \(took): \(refusal)")
    #expect(took < .seconds(1) * (Need.slowdown * Need.slowdown))
    #expect(refusal.message.contains("this probe is too large") || refusal.message.contains("deep"), "\(refusal)")
    #expect(refusal.location?.hasPrefix("test:") == true)
  }

  @Test func theFunctionIsNamed() throws {
    let text = """
      local function leaf(x) return x + 1 end
      local function g(x) \(String(repeating: "leaf(x) ", count: 50)) end
      return function() \(String(repeating: "g(arg0) ", count: 50)) end
      """
    let refusal = try #require(throws: MoontraceError.self) { try Self.compile(text) }
    #expect(refusal.message.contains("'leaf' 98"), "\(refusal)")
    #expect(refusal.location == "test:2")
  }

  @Test func tablesThatAreSearchedTooOften() throws {
    let text = """
      local t = {} for i = 1, 64 do t[i] = i end
      local function look(x) return t[x] or 0 end
      return function() \(String(repeating: "look(arg0) ", count: 500)) end
      """
    let refusal = try #require(throws: MoontraceError.self) { try Self.compile(text) }
    #expect(refusal.message.contains("this probe is too large") && refusal.message.contains("'look'"), "\(refusal)")
  }

  // MARK: Loops in loops

  /// 131,072 iterations in all, whatever way they are shared out: Lua's own result, or an error.
  @Test(
    arguments: [
      (100, 100, true), (300, 300, true), (1000, 100, true), (1000, 1000, false), (100_000, 100_000, false),
      (131_000, 0, true), (2, 60_000, true), (2, 70_000, false),
    ] as [(Int64, Int64, Bool)])
  func shareABudget(_ outer: Int64, _ inner: Int64, _ isWithin: Bool) throws {
    let run = try KernelFunction(
      """
      local function f(a, b)
        local n = 0
        for i = 1, a do for j = 1, b do n = n + 1 end end
        return n
      end
      """)
    let (result, took) = try threadTime { try run([outer, inner, 0]) }
    #expect(result == (isWithin ? "\(outer * inner)" : nil))
    #expect(took < .seconds(2) * Need.slowdown)
    if !isWithin { #expect(run.errors.first?.contains("the loops run more than 131072 times in all") == true) }
    // The next run has all of it again.
    #expect(try run([10, 10, 0]) == "100")
  }

  @Test func threeDeepAndOneAfterTheOther() throws {
    let text = """
      local function f(a, b, c)
        local n = 0
        for i = 1, a do
          for j = 1, b do
            local k = 0
            while k < c do k = k + 1 n = n + k end
            for l = 1, b do if l == c then break end n = n - 1 end
          end
          for j = 1, c do n = n + j end
        end
        for i = 1, a do n = n + i end
        return n
      end
      """
    let script = try TestScript()
    let inLua = try script.load("\(text) return f")
    let inKernel = try KernelFunction(text)
    for arguments in [[3, 4, 5], [10, 10, 10], [30, 30, 30], [1, 1, 0], [0, 5, 5]] as [[Int64]] {
      #expect(try inKernel(arguments) == script.call(inLua, arguments), "\(arguments)")
    }
    #expect(try inKernel([1000, 1000, 1000]) == nil)
    #expect(inKernel.errors == ["line 8: the loops run more than 131072 times in all (1 times)"])
  }

  @Test func aLoneLoopKeepsItsLimit() throws {
    let run = try KernelFunction("local function f(a) local n = 0 for i = 1, a do n = n + 1 end return n end")
    #expect(try run([131_072, 0, 0]) == "131072")
    #expect(try run([131_073, 0, 0]) == nil)
    #expect(run.errors == ["line 2: the loop runs more than 131072 times (1 times)"])
  }
}
