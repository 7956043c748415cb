import LuaRuntime
import Support
import Testing

@Suite struct MemoryTests {
  private let message = "not enough memory (the limit is 8 MiB)"

  private func expectRefused(_ text: String, line: Int, _ source: SourceLocation = #_sourceLocation) throws {
    let harness = try Harness(memory: 8 << 20, milliseconds: 5000)
    #expect(harness.error(text) == "x.lua:\(line): \(message)", sourceLocation: source)
    #expect(harness.runtime.memoryInUse < 1 << 20, sourceLocation: source)
    try harness.run("local t = {} for i = 1, 1000 do t[i] = {} end print('usable')")
    #expect(harness.printed() == "usable\n", sourceLocation: source)
  }

  @Test func tablesThatGrowWithoutEnd() throws {
    try expectRefused("local t = {}\nwhile true do\n  t[#t + 1] = {}\nend", line: 3)
  }

  @Test func giantStrings() throws {
    try expectRefused("local s = string.rep('x', 1 << 30)", line: 1)
    try expectRefused("local s = 'x'\nwhile true do s = s .. s end", line: 2)
  }

  @Test func inCoroutines() throws {
    try expectRefused("coroutine.wrap(function()\n  local t = {}\n  while true do t[#t + 1] = {} end\nend)()", line: 3)
    try expectRefused("local t = {}\nwhile true do t[#t + 1] = coroutine.create(print) end", line: 2)
  }

  @Test func theScriptMayCatchIt() throws {
    let harness = try Harness(memory: 8 << 20)
    try harness.run("print(pcall(string.rep, 'x', 1 << 30))")
    #expect(harness.printed() == "false\tnot enough memory\n")
  }

  @Test func hostFunctionsThatGiveMoreThanFits() throws {
    let harness = try Harness(memory: 8 << 20)
    harness.runtime.define("big") { _ in [.string([UInt8](repeating: 0, count: 16 << 20))] }
    try harness.publish()
    #expect(harness.error("\nbig()") == "x.lua:2: \(message)")
    try harness.run("print(#select(2, pcall(big)) > 0)")
  }

  @Test func aLimitTooSmallForTheLibraries() throws {
    #expect(throws: MoontraceError.self) { try Harness(memory: 10_000) }
  }

  @Test(arguments: Array(stride(from: 20_000, to: 60_000, by: 1111))) func openingNeverCrashes(bytes: Int) throws {
    let harness = try? Harness(memory: bytes)
    #expect(harness == nil || harness?.error("print('x'") != "")
  }
}
