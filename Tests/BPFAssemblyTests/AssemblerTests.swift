import BPFAssembly
import Support
import Testing

@Suite struct AssemblerTests {
  @Test func labelsLeadForwardAndBack() throws {
    let program = try assembled {
      let (loop, end) = ($0.newLabel(), $0.newLabel())
      $0.loadImmediate(.r1, 10)
      $0.bind(loop)
      $0.jump(if: .eq, .r1, 0, to: end)
      $0.alu(.sub, .r1, 1)
      $0.jump(to: loop)
      $0.bind(end)
      $0.exit()
    }
    #expect(
      program.lines().map(\.description) == [
        "   0: r1 = 10", "   1: if r1 == 0x0 goto pc+2 <4>", "   2: r1 -= 1", "   3: goto pc-3 <1>", "   4: exit",
      ])
  }

  @Test func wideInstructionsTakeTwoSlots() throws {
    let program = try assembled {
      let end = $0.newLabel()
      $0.jump(to: end)
      $0.loadImmediate(.r1, .max)
      $0.loadMap(.r2, MapReference(id: 7))
      $0.bind(end)
      $0.exit()
    }
    #expect(program.instructions[0] == .jump(4) && program.instructions.count == 6)
    #expect(program.lines().map(\.index) == [0, 1, 3, 5])
  }

  @Test func mapsAreResolvedAtLoad() throws {
    let program = try assembled {
      $0.loadMap(.r1, MapReference(id: 3))
      $0.loadMapValue(.r2, MapReference(id: 4), offset: 24)
      $0.exit()
    }
    #expect(program.mapUses.map(\.index) == [0, 2] && program.mapUses.map(\.map.id) == [3, 4])
    #expect(program.lines().map(\.text) == ["r1 = map[3] ll", "r2 = map[4][0]+24 ll", "exit"])
    #expect(program.lines { "m\($0.id)" }.map(\.text) == ["r1 = map[m3] ll", "r2 = map[m4][0]+24 ll", "exit"])
    let loaded = program.resolving { Int32($0.id + 100) }
    #expect(
      hexadecimal(loaded)
        == "18110000670000000000000000000000" + "18220000680000000000000018000000" + "9500000000000000")
  }

  @Test func subprogramsAreCalledRelatively() throws {
    var assembler = Assembler(name: "test")
    let (first, second) = (assembler.newLabel(), assembler.newLabel())
    assembler.callSubprogram(second)
    assembler.loadSubprogramAddress(.r2, first)
    assembler.exit()
    assembler.bind(first)
    assembler.exit()
    assembler.bind(second)
    assembler.exit()
    let program = try assembler.finish()
    #expect(
      program.lines().map(\.description) == [
        "   0: call pc+4 <5>", "   1: r2 = subprog[+2] ll <4>", "   3: exit", "   4: exit", "   5: exit",
      ])
    #expect(hexadecimal(Array(program.instructions[0..<3])) == "8510000004000000" + "18420000020000000000000000000000")
    #expect(program.entries == [0, 4, 5])
    #expect(program.index(of: first) == 4 && program.index(of: second) == 5)
    // A call of a subprogram is no call of a helper.
    #expect(Instruction.indices(ofCallsIn: program.instructions).isEmpty)
  }

  @Test func placesAreKeptForEachSlot() throws {
    let program = try assembled {
      $0.loadImmediate(.r1, 1)
      $0.place = 14
      $0.loadImmediate(.r2, .max)
      $0.place = 15
      $0.exit()
    }
    #expect(program.places == [0, 14, 14, 15])
  }

  @Test func jumpsReachAsFarAsTheyCan() throws {
    let program = try jumping(over: 32767)
    #expect(program.instructions[0].offset == 32767 && program.lines()[0].target == 32768)
    #expect(program.instructions[32768].offset == -32768 && program.lines()[32768].target == 1)
  }

  @Test func jumpsThatAreTooFarAreRefused() throws {
    let error = try #require(throws: MoontraceError.self) { try jumping(over: 32768) }
    #expect(error.code == .unsupported)
    #expect(
      error.description == "program 'far' is too large: instruction 0 jumps over 32768 others, a jump reaches 32767"
        + " (split it into several functions)")
  }

  @Test func programsThatAreTooLongAreRefused() throws {
    let error = try #require(throws: MoontraceError.self) {
      try assembled { for _ in 0...AssembledProgram.largest { $0.exit() } }
    }
    #expect(error.code == .unsupported && error.message.contains("1000001 instructions"))
  }

  @Test func labelsMustBeBoundOnceAndToAnInstruction() throws {
    func message(_ body: (inout Assembler) -> Void) throws -> String {
      try #require(throws: MoontraceError.self) { try assembled(body) }.message
    }
    #expect(
      try message { $0.jump(to: $0.newLabel()) }
        == "program 'test' is wrong: instruction 0 uses a label that is bound nowhere")
    let behind = try message {
      let label = $0.newLabel()
      $0.jump(to: label)
      $0.bind(label)
    }
    #expect(behind == "program 'test' is wrong: instruction 0 leads behind the last one")
    let twice = try message {
      let label = $0.newLabel()
      $0.bind(label)
      $0.bind(label)
    }
    #expect(twice == "program 'test' is wrong: a label is bound twice")
  }

  /// A jump over `count` instructions, and one back over all but the first.
  private func jumping(over count: Int) throws -> AssembledProgram {
    var assembler = Assembler(name: "far")
    let (end, start) = (assembler.newLabel(), assembler.newLabel())
    assembler.jump(if: .ne, .r1, .r2, to: end)
    assembler.bind(start)
    for _ in 0..<count { assembler.exit() }
    assembler.bind(end)
    assembler.jump(to: start)
    return try assembler.finish()
  }
}
