import LuaBytecode
import ProbeCompiler
import RandomTestSupport
import Support
import Testing

/// Bytecode that nobody compiled from Lua text, but that passes the check, never crashes the compiler.
@Suite struct HostileBytecodeTests {
  /// Hands out one function, however it came to be; it calls nothing and its upvalues are nil.
  private final class Host: ProbeHost {
    let function: LuaPrototype
    init(_ function: LuaPrototype) { self.function = function }
    func prototype(of function: HostReference) -> LuaPrototype { self.function }
    func upvalue(of function: HostReference, at index: Int) -> HostValue { index == 0 ? .environment : .nil }
    func field(of table: HostReference, name: [UInt8]) -> HostValue { .integer(1) }
    func element(of table: HostReference, at index: Int64) -> HostValue { .nil }
    func entries(of table: HostReference, limit: Int) -> [(key: HostValue, value: HostValue)]? { [] }
    func global(_ name: String) -> HostValue { name == "f" ? .function(HostReference(0)) : .nil }
  }

  @Test func neverCrashesTheCompiler() throws {
    let seed = SeededGenerator.seed(for: "hostile bytecode")
    var compiled = 0
    for number in 0..<UInt64(20) {
      var generator = LuaGenerator(seed: seed &+ number)
      let script = try TestScript()
      let dump = try script.dump(script.load("\(generator.script()) return f"))
      for _ in 0..<30 where Self.compile(Self.mutated(dump, &generator.random)) { compiled += 1 }
    }
    print("hostile bytecode: \(compiled) of 600 compiled")
    #expect(compiled > 20)
  }

  /// Up to four bytes of the dump replaced.
  private static func mutated(_ dump: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var dump = dump
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 32..<dump.count, using: &random)
      dump[place] = Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : dump[place] ^ 1
    }
    return dump
  }

  /// Whether it was compiled; false when it was refused.
  private static func compile(_ dump: [UInt8]) -> Bool {
    do throws(MoontraceError) {
      let function = try LuaPrototype(dump: dump)
      try function.check()
      var compiler = ProbeCompiler(host: Host(function), types: { () throws(MoontraceError) in nil })
      compiler.schema.streamCount = 1
      let context = ProbeContext(spec: "rawtracepoint:test", kind: .rawTracepoint)
      try compiler.add(HostReference(0), at: context, stream: 0)
      _ = try compiler.finish()
      return true
    } catch {
      return false
    }
  }
}
