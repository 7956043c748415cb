import KernelTestSupport
import LuaBytecode
import Support
import Testing

@testable import ProbeCompiler

/// Calls of what the script holds in variables: functions of Lua's library, functions with results that some ways lack,
/// tables of constants.
@Suite(.requires(.root)) struct ScriptCallTests {
  /// Each gives the same in the kernel as in Lua.
  static let functions = [
    "local least = math.min local function f(a, b, c) return least(a, b, c) end",
    "local m = math local function f(a, b) return m.max(a, b) + m.abs(-3) end",
    "local abs, ult = math.abs, math.ult local function f(a, b) if ult(a, b) then return abs(a) end return abs(b) end",
    "local t = { op = math.min } local function f(a, b) return t.op(a, b) end",
    "local function k(x, y) return x - y end local function f(a, b) local h = 3 and k or math.max return h(a, b) end",
    "local h = math.max or math.min local function f(a, b) return h(a, b) end",
    "local t = { 10, 20, 30, x = 4 } local function f(a) local n = #t for i = 1, #t do n = n + t[i] * a end return n end",
    "local t = { [0] = 1, [-5] = 2, x = 3 } local function f(a) return #t + #{} end",
    // Missing values.
    "local function k(x) if x > 0 then return x end end local function f(a) return k(a) end",
    "local function k(x) if x > 0 then return x end end local function h(x) return x end local function f(a) return h(k(a)) end",
    "local function k(x) if x > 0 then return x, 2 end end local function f(a) local x, y = k(a) return y end",
    "local function k(x) if x > 0 then return 1, 2, 3 elseif x < 0 then return 1 end end "
      + "local function f(a) local t = { 7, k(a) } return t[4] or t[2] or t[1] end",
    "local function k(x) for i = 1, 3 do if i == x then return i, x end end end "
      + "local function h(x) return k(x) end local function f(a) local x, y = h(a) return y end",
  ]

  @Test(arguments: functions) func giveTheSameAsLua(_ text: String) throws {
    let script = try TestScript()
    let inLua = try script.load("\(text) return f")
    let inKernel = try KernelFunction(text)
    for a in LuaEqualityTests.interesting + [1, 2, 3, 4] {
      for b in [-1, 0, 5, .max] as [Int64] {
        #expect(try inKernel([a, b, 2]) == script.call(inLua, [a, b, 2]), "\(a), \(b)")
      }
    }
  }

  // MARK: Tables of constants

  private static let tables = [
    "{ 10, 20, 30 }", "{}", "{ [-5] = 1, [0] = false, [1] = true, [64] = nil, [math.maxinteger] = 9 }",
    "(function() local t = {} for i = 1, 64 do t[i] = i * i end return t end)()",
    "(function() local t = {} for i = -30, 30 do t[i * 7] = i end return t end)()",
  ]

  @Test(arguments: tables) func areSearchedForNumbers(_ table: String) throws {
    let text = "local t = \(table) local function f(a) return t[a] end"
    let script = try TestScript()
    let inLua = try script.load("\(text) return f")
    let inKernel = try KernelFunction(text)
    for a in LuaEqualityTests.interesting + Array(-220...220) {
      #expect(try inKernel([a, 0, 0]) == script.call(inLua, [a, 0, 0]), "t[\(a)]")
    }
  }

  @Test func areSearchedForNilAndBooleans() throws {
    let text = """
      local t = { [true] = 1, [false] = 2, [3] = 3, x = 4 }
      local function f(a, b)
        local key = nil
        if a > 10 then key = a > 20 elseif a > 0 then key = a end
        local isMore = a > b -- Lua 5.4 itself makes wrong code of t[a > b] where t is an upvalue
        return (t[key] or 0) * 100 + (t[isMore] or 0)
      end
      """
    let script = try TestScript()
    let inLua = try script.load("\(text) return f")
    let inKernel = try KernelFunction(text)
    for a in [-3, 3, 4, 15, 25] as [Int64] {
      for b in [0, 20] as [Int64] { #expect(try inKernel([a, b, 0]) == script.call(inLua, [a, b, 0])) }
    }
  }

  /// Each lookup is a branch in 64 ways, and each of its numbers decides something: the verifier must not try all
  /// combinations.
  @Test func manyLookupsPassTheVerifier() throws {
    let text = """
      local t = {} for i = 1, 64 do t[i] = i * 3 end
      local function f(a, b, c)
        local x, y, z, n = t[a] or 0, t[b] or 0, t[c] or 0, 0
        if x > 50 then n = n + 1 end
        if y > 50 then n = n + 2 end
        if z > 50 then n = n + 4 end
        if x + y > 100 then n = n + 8 end
        if y + z > 100 then n = n + 16 end
        for i = 1, x do if i == y then return n end end
        return n * 100
      end
      """
    let script = try TestScript()
    let inLua = try script.load("\(text) return f")
    let inKernel = try KernelFunction(text)
    for (a, b, c) in [(1, 2, 3), (64, 64, 64), (20, 30, 40), (0, 65, 30)] as [(Int64, Int64, Int64)] {
      #expect(try inKernel([a, b, c]) == script.call(inLua, [a, b, c]))
    }
  }

  @Test func areSearchedForText() throws {
    let bench = try ProbeBench(
      """
      local kinds = { init = "the first", [comm_name] = "this one", none = "?" }
      return { function(args) return { kind = kinds[str(args.name, 15)] or "unknown" } end }
      """.replacing("comm_name", with: "'a b'"), [.words([("name", .userPointer(to: ""))])], schema: ProbeSchema())
    for name in ["init", "a b", "other", "", "ini"] { try bench.withText(name) { try bench.run(0, [$0]) } }
    let kinds = bench.takeEvents().map { ProbeBench.text($0[1...]) }
    #expect(kinds == ["the first", "this one", "unknown", "unknown", "unknown"])
  }

  // MARK: What is refused

  static let refused: [(body: String, reason: String)] = [
    (
      "local f = arg0 > 0 and one or two return f(1)", "which function is called here is known only when the probe runs"
    ),
    ("return (arg0 > 0 and one or math.abs)(1)", "call each where it is chosen"),
    ("print(maybe(arg0))", "print: what is passed on here are more values on one way than on another"),
    ("return large[arg0]", "a table of more than 64 entries can't be searched in a probe (fill a map with it"),
    ("return small[arg1 > 0 and one]", "this is a boolean on one way to here and a function on another"),
    ("return emit(arg0)", "a probe can't call"),
    (
      "local s = m[arg0] if s then s.x = 1 end",
      "a map's value can't be changed in part (store a new record: m[k] = { … })"
    ),
    ("m[arg0].x = 1", "a map's value can't be changed in part"),
    ("local s = m[arg0] or { x = 2, y = 2 } s.x = 1", "can't be changed in part"),
    ("local s = m[arg0] s.x = 1", "a map's value can't be changed in part"),
    ("m[{ arg0, nil }] = 1", "a key can't be nil, and this part of it always is"),
    ("return m[nil]", "a key can't be nil"),
    ("return signal('KIL')", "there is no signal 'KIL' (did you mean 'KILL'?)"),
    ("return signal(65)", "there is no signal 65"), ("return signal()", "expected a signal"),
    ("return override(1)", "override works where a kernel function begins"),
    ("return reg('ip')", "hands over no registers"),
  ]

  @Test(arguments: refused) func areRefused(_ body: String, _ reason: String) throws {
    let refusal = try #require(throws: MoontraceError.self) { try Self.compile(body) }
    #expect("\(refusal)".contains(reason), "\(refusal)")
    #expect(refusal.location == "test:7")
  }

  private static func compile(
    _ body: String, _ change: (inout ProbeCompiler, inout ProbeContext) -> Void = { _, _ in }
  ) throws {
    let script = try TestScript()
    let probe = try script.load(
      """
      local m, small, large = "map 0", { one = 1 }, {}
      for i = 1, 65 do large[i] = i end
      local function one(x) return x end
      local function two(x) return -x end
      local function maybe(x) if x > 0 then return x end end
      emit = rawset
      return function() \(body) end
      """)
    let word = ProbeContext.Argument.Source.word(offset: 0, width: .double, signed: false)
    var context = ProbeContext(spec: "rawtracepoint:test", kind: .rawTracepoint, positional: [word, word])
    var compiler = ProbeCompiler(host: script, types: { nil })
    compiler.schema.streamCount = 1
    compiler.schema.maps = [
      ProbeSchema.MapType(
        name: "m", maximum: 4, value: .record([.init(name: "x", type: .integer), .init(name: "y", type: .integer)]))
    ]
    change(&compiler, &context)
    try compiler.add(probe, at: context, stream: 0)
    _ = try compiler.finish()
  }

  // MARK: Registers and permission

  @Test func registersAreKnownByName() throws {
    let registers: (inout ProbeCompiler, inout ProbeContext) -> Void = { _, context in
      context.kind = .kernelProbe
      context.registers = ["ip": 128, "rip": 128, "sp": 152, "rsp": 152]
    }
    try Self.compile("return { at = reg('rip'), sp = reg('sp') }", registers)
    for (name, reason) in [("rpi", "did you mean 'rip'?"), ("xyzzy", "there are ip, sp")] {
      let refusal = try #require(throws: MoontraceError.self) { try Self.compile("return reg('\(name)')", registers) }
      #expect("\(refusal)".contains("there is no register '\(name)'") && "\(refusal)".contains(reason), "\(refusal)")
    }
  }

  @Test func changesNeedPermission() throws {
    let objection = MoontraceError(.notPermitted, "not allowed", remedy: "allow it")
    let refusal = try #require(throws: MoontraceError.self) {
      try Self.compile("if arg0 > 0 then signal(9) end") { compiler, _ in compiler.objection = { _ in objection } }
    }
    #expect(refusal.code == .notPermitted && "\(refusal)" == "test:7: not allowed (allow it)")
    // What is not compiled needs none.
    try Self.compile("if small.two then signal(9) end") { compiler, _ in compiler.objection = { _ in objection } }
  }
}
