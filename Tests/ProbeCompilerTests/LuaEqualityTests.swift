import KernelTestSupport
import ProbeCompiler
import Testing

/// The same Lua function in the kernel and in Lua gives the same.
@Suite(.requires(.root)) struct LuaEqualityTests {
  static let interesting: [Int64] = [0, 1, -1, 2, 7, -7, 63, 64, 100, -100, .max, .min, 0x1_0000_0000, 0xdead_beef]

  static let functions = [
    "return a + b * 3 - c",
    "return a // b",
    "return a % b",
    "return a // 7, 1",
    "return a % 7",
    "return a // -3",
    "return a % -3",
    "return a << b",
    "return a >> b",
    "return ~a ~ (b & c) | 5",
    "return -a",
    "if a < b then return 1 elseif a == b then return 2 else return 3 end",
    "return a < b",
    "return not (a <= b)",
    "return a == b or c",
    "return a > 0 and b or c",
    "local x if a > 3 then x = b end return x",
    "local x if a > 3 then x = b end return x + 1",
    "local x = a if x > b then x = b end return x",
    "return math.min(a, b, c)",
    "return math.max(a, b)",
    "return math.abs(a)",
    "return math.ult(a, b)",
    "local s = 0 for i = 1, 10 do s = s + i end return s",
    "local s = 0 for i = 1, a & 15 do s = s + i * b end return s",
    "local s = 0 for i = a & 15, 0, -3 do s = s + i end return s",
    "local s = 0 local i = a & 31 while i > 0 do s = s + i i = i - 1 if s > 100 then break end end return s",
    "local s = 0 for i = 1, 5 do for j = i, 5 do s = s + i * j end end return s",
    "for i = 1, 20 do if i * i > (a & 255) then return i end end return nil",
    "local t = { x = a, y = b } return t.x - t.y",
    "local t = { a, b, c } return t[2]",
    "local x, y = a, b x, y = y, x return x - y",
    "local n = a & 1023 local count = 0 repeat if n % 2 == 0 then n = n // 2 else n = n * 3 + 1 end count = count + 1 until n <= 1 or count > 50 return count",
    "goto done ::again:: a = a + 1 ::done:: if a < b and a > b - 5 then goto again end return a",
  ]

  @Test(arguments: functions) func gives(_ body: String) throws {
    let text = "local function f(a, b, c) \(body) end"
    let script = try TestScript()
    let inLua = try script.load("\(text) return f")
    let inKernel = try KernelFunction(text)
    for a in Self.interesting {
      for b in Self.interesting {
        let arguments = [a, b, a &- b]
        let (kernel, lua) = (try inKernel(arguments), script.call(inLua, arguments))
        try #require(kernel == lua, "\(body) with \(arguments): \(lua ?? "error") in Lua, \(kernel ?? "error") here")
      }
    }
  }
}
