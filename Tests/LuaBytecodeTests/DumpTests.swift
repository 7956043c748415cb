import LuaBytecode
import Support
import Testing

/// What is read is what the compiler wrote.
@Suite struct DumpTests {
  @Test func functions() throws {
    let main = try Lua.compile(
      """
      local limit, name = 10, "x"
      function count(n, m, ...)
        local sum = limit
        return sum + n, name
      end
      """, name: "@dir/count.lua")
    #expect(main.source == "@dir/count.lua" && main.sourceName == "dir/count.lua")
    #expect(main.lineDefined == 0 && main.isVararg && main.parameterCount == 0 && main.prototypes.count == 1)
    let environment = try #require(main.upvalues.first)
    #expect(environment.name == "_ENV" && environment.inStack && environment.index == 0 && main.upvalues.count == 1)
    let count = main.prototypes[0]
    #expect(count.source == "@dir/count.lua" && count.place == "dir/count.lua:2")
    #expect(count.lineDefined == 2 && count.lastLineDefined == 5)
    #expect(count.parameterCount == 2 && count.isVararg && count.maxStackSize >= 4)
    #expect(count.upvalueNames == ["limit", "name"])
    #expect(count.upvalues.map(\.index) == [0, 1] && count.upvalues.allSatisfy(\.inStack))
    #expect(count.prototypes.isEmpty)
  }

  @Test func constants() throws {
    let long = String(repeating: "é", count: 200)
    let main = try Lua.compile("return 70000, -70000, 1.5, 1e300, 'short', '\(long)', 9223372036854775807, 2^53")
    #expect(
      main.constants == [
        .integer(70000), .integer(-70000), .float(1.5), .float(1e300), .string(Array("short".utf8)),
        .string(Array(long.utf8)), .integer(.max), .float(9007199254740992),
      ])
    // What an instruction can't hold itself: nil and booleans as values to store.
    let stores = try Lua.compile("t.a = nil; t.b = true; t.c = false")
    #expect(Set(stores.constants).isSuperset(of: [.nil, .boolean(true), .boolean(false)]))
    #expect(
      LuaConstant.string([0, 7, 10, 34, 92, 65, 200]).description == #""\000\a\n\"\\A\200""#
        && LuaConstant.float(-3).description == "-3.0" && LuaConstant.float(.infinity).description == "inf"
        && LuaConstant.float(0.1).description == "0.1" && LuaConstant.integer(.min).description == "\(Int64.min)")
  }

  @Test func operands() throws {
    let main = try Lua.compile("local x = -7; while x < -3 do x = x + 5 end")
    let load = try #require(main.instructions.first { $0.opcode == .loadI })
    #expect(load.a == 0 && load.sBx == -7 && load.opcode.mode == .asbx)
    let less = try #require(main.instructions.first { $0.opcode == .ltI })
    #expect(less.a == 0 && less.sB == -3 && !less.k)
    let add = try #require(main.instructions.first { $0.opcode == .addI })
    #expect(add.a == 0 && add.b == 0 && add.sC == 5)
    let jumps = main.instructions.indices.filter { main.instructions[$0].opcode == .jmp }
    #expect(jumps.map { main.instructions[$0].target(at: $0) } == [main.instructions.count - 1, 2])
    #expect(LuaInstruction(rawValue: 83) == nil && LuaInstruction(rawValue: 0x7f) == nil)
    #expect(LuaOpcode.allCases.count == 83 && LuaOpcode.extraArg.rawValue == 82)
    #expect(LuaOpcode.forPrep.name == "FORPREP" && LuaOpcode.lFalseSkip.name == "LFALSESKIP")
  }

  @Test func namesOfRegisters() throws {
    let main = try Lua.compile("local a, b = 1, 2\ndo local c = 3; a = c end\nlocal d = 4\nreturn a + d")
    let end = main.instructions.indices.last ?? 0
    #expect((0..<4).map { main.localName(register: $0, at: end) } == ["a", "b", "d", nil])
    let third = try #require(main.instructions.firstIndex { $0.opcode == .loadI && $0.a == 2 })
    // A variable is in scope from the instruction after the one that gives it its value.
    #expect(main.localName(register: 2, at: third) == nil && main.localName(register: 2, at: third + 1) == "c")
    #expect(main.localName(register: 0, at: 0) == nil && main.localName(register: -1, at: end) == nil)
  }

  /// Distances that fit a byte, that don't, that go back, and so many instructions that Lua notes lines anew.
  @Test func lines() throws {
    let gap = String(repeating: "\n", count: 500)
    let text = "local a = 1\(gap)a = 2\na = a\n.x" + String(repeating: " a = 3", count: 400) + "\nreturn a"
    let main = try Lua.compile(text)
    #expect(main.lines.count == main.instructions.count && main.lines.first == 1)
    #expect(main.line(at: main.lines.count - 1) == 504 && main.line(at: main.lines.count) == nil)
    #expect(main.lines.filter { $0 == 503 }.count >= 400)
    #expect(main.line(at: -1) == nil)
  }

  @Test func strippedFunctionsHaveNoNames() throws {
    let main = try Lua.compile("local a = b\nreturn function() return a end", strip: true)
    #expect(main.source == "=?" || main.source == nil)
    #expect(main.lines.isEmpty && main.line(at: 0) == nil && main.locals.isEmpty)
    #expect(main.upvalues.count == 1 && main.upvalueNames == [nil])
    #expect(main.prototypes[0].upvalues.count == 1)
    #expect(main.listing.contains("\t1\t[-]\t"))
  }

  /// Everything that Lua compiles passes the check, and the texts have every opcode.
  @Test func everyOpcodeIsKnown() throws {
    var seen: Set<LuaOpcode> = []
    func visit(_ prototype: LuaPrototype) {
      seen.formUnion(prototype.instructions.map(\.opcode))
      prototype.prototypes.forEach(visit)
    }
    visit(try Lua.compile(Corpus.language))
    visit(try Lua.compile(Corpus.large))
    #expect(Set(LuaOpcode.allCases).subtracting(seen) == [])
  }

  @Test func theProjectsOwnFiles() throws {
    try #require(Corpus.files.count >= 8)
    for path in Corpus.files {
      _ = try Lua.compile(Corpus.text(of: path), name: "@" + path)
      _ = try Lua.compile(Corpus.text(of: path), strip: true)
    }
  }
}
