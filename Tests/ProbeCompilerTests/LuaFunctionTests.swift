import KernelTestSupport
import ProbeCompiler
import Support
import Testing

/// Each function of `LuaFunctions` gives the same in the kernel as in Lua, for integers at the edges.
@Suite(.requires(.root)) struct LuaFunctionTests {
  /// What the functions may use: constants of the script, and functions that are compiled with them.
  static let script = """
    local K1, K2, KS, KB, KN, KL = 5, -3, 'abc', true, nil, math.mininteger
    local KT = { x = 7, y = 'abc', n = { z = -1, s = 'q' }, 10, 20, 30 }
    local function h_id(x) return x end
    local function h_add(x, y) return x + y end
    local function h_sub(x, y) return x - y end
    local function h_none() end
    local function h_two(x, y) return y, x end
    local function h_sign(x) if x > 0 then return 1 elseif x < 0 then return -1 end return 0 end
    local function h_maybe(x) if x > 0 then return x elseif x < 0 then return nil end return false end
    local function h_find(x) for i = 1, 10 do for j = i, 10 do if i * j == x then return i end end end end
    local function h_apply(f, x, y) return f(x, y) end
    local function h_flag(x) return x > 3 end
    local function h_fact(n) local r = 1 for i = 2, n do r = r * i end return r end
    local function h_record(x, y) return { x = x, y = y } end
    local function h_deep(x) return h_add(h_id(x), h_sign(h_sub(x, 5))) end
    local function h_nested(x, y) local s = 0 for i = 1, x do s = s + h_fact(i) + (h_find(y) or 0) end return s end
    """

  @Test func areEnough() {
    #expect(LuaFunctions.groups.map(\.bodies.count).reduce(0, +) >= 300)
  }

  @Test(arguments: LuaFunctions.groups.map(\.name)) func giveTheSameAsLua(_ group: String) throws {
    for body in LuaFunctions.groups.first(where: { $0.name == group })?.bodies ?? [] { try compare(body) }
  }

  private func compare(_ body: String) throws {
    // In Lua, `return` of several values gives the first.
    let text = "\(Self.script)\nlocal function f(a, b, c) \(body) end"
    let script = try TestScript()
    let inLua = try script.load("\(text) return f")
    let inKernel: KernelFunction
    do {
      inKernel = try KernelFunction(text)
    } catch {
      Issue.record("\(body): \(error)")
      return
    }
    for (index, a) in LuaEqualityTests.interesting.enumerated() where index % Need.slowdown == 0 {
      for b in LuaEqualityTests.interesting {
        let arguments = [a, b, LuaEqualityTests.interesting[(index * 5 + 3) % LuaEqualityTests.interesting.count] &- b]
        let isEndless = body == "while true do end"
        let (kernel, lua) = (try inKernel(arguments), isEndless ? nil : script.call(inLua, arguments))
        guard kernel != lua else { continue }
        Issue.record("\(body) with \(arguments): \(lua ?? "an error") in Lua, \(kernel ?? "an error") in the kernel")
        return
      }
    }
  }
}

/// What can't be compiled is refused, with its place: never a crash, never a hang.
@Suite struct RefusedFunctionTests {
  static let functions: [(body: String, reason: String)] = [
    ("local t = {} t.t = t return a", "can't hold itself"),
    ("local t, u = {}, {} t.u = u u.t = t return a", "can't hold itself"),
    ("local t for i = 1, 3 do t = { t = t } end return a", "grows with each iteration"),
    ("local t = { a, nil, b } return #t", "length of a list"),
    ("local t, u = { x = 1 }, { x = 2 } local v = a > 0 and t or u v.x = 3 return t.x", "may be one of several"),
    ("local t, u = { x = 1 }, { x = 2 } local v = a > 0 and t or u t.x = 3 return v.x", "may be one of several"),
    ("local t, u = { x = 1 }, { x = 2 } local v = a > 0 and t or u return t == v", "can't be compared"),
    ("return '7' + a", "can't calculate with text"), ("return 1.5", "float"), ("return a / b", "gives a float"),
    ("if a > b then goto x end ::y:: a = a + 1 ::x:: if a < 9 then goto y end return a", "entered at two places"),
    (String(repeating: "for i = 1, 2 do ", count: 8) + String(repeating: "end ", count: 8), "deep"),
  ]

  @Test(arguments: functions) func areRefused(_ body: String, _ reason: String) throws {
    let script = try TestScript()
    let probe = try script.load("return function() local a, b = arg0, arg1 \(body) end")
    var compiler = ProbeCompiler(host: script, types: { nil })
    compiler.schema.streamCount = 1
    let word = ProbeContext.Argument.Source.word(offset: 0, width: .double, signed: false)
    let context = ProbeContext(spec: "rawtracepoint:test", kind: .rawTracepoint, positional: [word, word])
    let refusal = try #require(throws: MoontraceError.self) { try compiler.add(probe, at: context, stream: 0) }
    #expect(refusal.message.contains(reason), "\(refusal)")
    #expect(refusal.location == "test:1")
  }
}
