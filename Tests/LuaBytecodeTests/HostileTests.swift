import Glibc
import LuaBytecode
import RandomTestSupport
import Support
import Testing

/// Bytes that no Lua wrote are refused, and nothing worse.
@Suite struct HostileTests {
  @Test func truncatedAnywhere() throws {
    let dump = try Lua.dump(Corpus.language)
    for length in 0..<dump.count {
      let error = try #require(throws: MoontraceError.self) { try LuaPrototype(dump: Array(dump[..<length])) }
      #expect(error.message.hasPrefix("Lua bytecode, byte "))
    }
  }

  @Test func wrongHeaders() throws {
    let dump = try Lua.dump("return 1")
    for (offset, code) in [
      (0, MoontraceError.Code.scriptFailed), (3, .scriptFailed), (4, .unsupported), (30, .unsupported),
    ] {
      var changed = dump
      changed[offset] ^= 1
      let error = try #require(throws: MoontraceError.self) { try LuaPrototype(dump: changed) }
      #expect(error.code == code && error.message.hasPrefix("Lua bytecode, byte \(offset): "))
    }
    #expect(throws: MoontraceError.self) { try LuaPrototype(dump: Array("print 'text'".utf8)) }
    let longer = try #require(throws: MoontraceError.self) { try LuaPrototype(dump: dump + [0]) }
    #expect(longer.message.hasSuffix("1 bytes follow the function"))
  }

  @Test func sizesThatLie() throws {
    // Behind the header and the number of upvalues: the source's size.
    let header = Array(try Lua.dump("return 1").prefix(32))
    let cases: [([UInt8], String)] = [
      ([0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0xff], "the size of the source's name is above"),
      ([0x07, 0x7f, 0x7f, 0x7f, 0xff], "the source's name takes 2147483646 bytes, 0 are left"),
      ([0x80, 0x80, 0x80, 0, 0, 2, 0x07, 0x7f, 0x7f, 0x7f, 0xff], "2147483647 instructions do not fit"),
      ([0x80, 0x80, 0x80, 0, 0, 2, 0x80, 0x01, 0x7f, 0xff], "32767 constants do not fit"),
      ([0x80, 0x80, 0x80, 0, 2, 2], "the vararg mark is 2"),
      ([0x80, 0x80, 0x80, 0, 0, 2, 0x81, 83, 0, 0, 0], "opcode 83 is none of Lua 5.4's"),
      ([0x80, 0x80, 0x80, 0, 0, 2, 0x80, 0x81, 0x05], "constants have no type 5"),
      ([0x80, 0x80, 0x80, 0, 0, 2, 0x80, 0x81, 0x04, 0x80], "a string is missing"),
      ([0x80, 0x80, 0x80, 0, 0, 2, 0x80, 0x80, 0x81, 0, 0, 4], "upvalues have no kind 4"),
    ]
    for (bytes, message) in cases {
      let error = try #require(throws: MoontraceError.self) { try LuaPrototype(dump: header + bytes) }
      #expect(error.message.contains(message), "\(error.message)")
    }
  }

  @Test func functionsInFunctionsWithoutEnd() throws {
    let header = Array(try Lua.dump("return 1").prefix(32))
    let function: [UInt8] = [0x80, 0x80, 0x80, 0, 0, 2, 0x80, 0x80, 0x80, 0x81]
    let nested = header + Array(repeating: function, count: 100_000).joined()
    let error = try #require(throws: MoontraceError.self) { try LuaPrototype(dump: nested) }
    #expect(error.message.hasSuffix("functions stand in one another 201 deep"))
  }

  /// What Lua itself can nest is read.
  @Test func functionsAsDeepAsLuaCompilesThem() throws {
    let depth = 60
    let text = String(repeating: "return function() ", count: depth) + String(repeating: " end", count: depth)
    var prototype = try Lua.compile(text)
    for _ in 0..<depth { prototype = try #require(prototype.prototypes.first) }
    #expect(prototype.prototypes.isEmpty)
  }

  /// Changes one instruction of a text, and expects the check to say what is wrong.
  @Test(
    arguments: [
      ("local a = b", 0, instruction(.move, a: 0, b: 200), "instruction 1, MOVE: register 200 of 2"),
      ("local a = b", 0, instruction(.loadK, a: 0, b: 0, c: 1), "LOADK: constant 512 of 1"),
      ("local a = b", 0, instruction(.getUpval, a: 0, b: 1), "GETUPVAL: upvalue 1 of 1"),
      ("local a = b", 0, instruction(.closure), "CLOSURE: function 0 of 0"),
      ("local a = b", 0, instruction(.jmp, bits: (16_777_215 - 2) << 7), "JMP: it leads to instruction 0 of 3"),
      ("local a = b", 0, instruction(.jmp, bits: (16_777_215 + 2) << 7), "JMP: it leads to instruction 4 of 3"),
      ("local a = b", 0, instruction(.eq), "EQ: instruction 2 is not its JMP"),
      ("local a = b", 0, instruction(.extraArg), "EXTRAARG: it belongs to no instruction"),
      ("local a = b", 0, instruction(.add), "ADD: no metamethod's call follows"),
      ("local a = b", 0, instruction(.mmBin), "MMBIN: it follows no operator"),
      (
        "local a = 70000 + b.c", 0, instruction(.jmp, bits: (16_777_215 + 3) << 7),
        "JMP: it leads to instruction 5, MMBINK"
      ),
      ("local a = b", 0, instruction(.forPrep), "FORPREP: register 3 of 2"),
      ("local a = b", 0, instruction(.varargPrep, a: 1), "VARARGPREP: the function has 0 parameters"),
      ("local a = b", 2, instruction(.move), "it does not end with a return"),
      ("local a = 70000 + b.c", 1, instruction(.getField, c: 9), "GETFIELD: constant 9 of 3"),
      ("local a = 70000 + b.c", 1, instruction(.getField, c: 2), "GETFIELD: constant 2 is not a string"),
      ("local a = 70000 + b.c", 4, instruction(.mmBinK, b: 0, c: 25), "MMBINK: metamethod 25 of 25"),
    ] as [(String, Int, UInt32, String)])
  func forgedOperands(text: String, index: Int, word: UInt32, message: String) throws {
    var dump = try Lua.dump(text)
    let count = try LuaPrototype(dump: dump).instructions.count
    // Header, upvalue count, "=test", two lines, parameters, vararg mark, stack size, number of instructions.
    let code = 32 + 6 + 5 + 1
    try #require(dump[code - 1] == 0x80 | UInt8(count))
    withUnsafeBytes(of: word) { dump.replaceSubrange(code + index * 4..<code + index * 4 + 4, with: $0) }
    let prototype = try LuaPrototype(dump: dump)
    let error = try #require(throws: MoontraceError.self) { try prototype.check() }
    #expect(error.message.hasSuffix(message), "\(error.message)")
    #expect(error.location == "test:0")
  }

  /// Changed dumps are values or errors; what passes the check can be listed and asked for names.
  @Test func mutatedDumps() throws {
    let seed = SeededGenerator.seed(for: "mutatedDumps")
    var generator = SeededGenerator(seed: seed)
    let dumps = [try Lua.dump(Corpus.language), try Lua.dump("local function f(x) return x.y + 1 end", strip: true)]
    var (accepted, refused) = (0, 0)
    for round in 0..<6000 {
      var bytes = dumps[round % 2]
      for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes, &generator) }
      do {
        let prototype = try LuaPrototype(dump: bytes)
        #expect(!prototype.listing.isEmpty)
        try prototype.check()
        use(prototype)
        accepted += 1
      } catch {
        #expect(!error.message.isEmpty)
        refused += 1
      }
    }
    #expect(accepted > 50 && refused > 50, "seed \(seed): \(accepted) accepted, \(refused) refused")
  }

  private func use(_ prototype: LuaPrototype) {
    for pc in prototype.instructions.indices {
      _ = prototype.localName(register: prototype.instructions[pc].a, at: pc)
      if let target = prototype.instructions[pc].target(at: pc) {
        #expect(prototype.instructions.indices.contains(target))
      }
    }
    prototype.prototypes.forEach(use)
  }

  private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
    // The header's bytes have one right value each.
    let position = Int.random(in: 32..<bytes.count, using: &generator)
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: bytes.remove(at: position)
    case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
    case 2: bytes[position] = [0, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
    default: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    }
  }
}

private func instruction(_ opcode: LuaOpcode, a: UInt32 = 0, b: UInt32 = 0, c: UInt32 = 0) -> UInt32 {
  instruction(opcode, bits: a << 7 | b << 16 | c << 24)
}

private func instruction(_ opcode: LuaOpcode, bits: UInt32) -> UInt32 { UInt32(opcode.rawValue) | bits }
