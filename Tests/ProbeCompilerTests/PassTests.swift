import BPFAssembly
import Testing

@testable import ProbeCompiler

/// What single passes do to the IR.
@Suite struct PassTests {
  private func slot(_ number: Int32) -> IROperand { .slot(SlotID(number: number), 0) }

  /// A probe and a loop body; slot 0 is small, slot 1 large and not written as a whole, slot 2 shared, and slot 3 nobody
  /// uses.
  private func programWithLoop() -> IRProgram {
    var probe = FunctionBuilder(), body = FunctionBuilder()
    probe.block()
    for number in Int32(0)..<3 {
      probe.add(.store(slot(number), 0, .double, .constant(1)))
      _ = probe.value(.load(slot(number), 0, .double, signed: false))
    }
    probe.add(.loop(FunctionID(number: 1), count: .constant(3)))
    body.block()
    body.add(.atomic(.add, slot(2), 0, .constant(1), expected: nil))
    return IRProgram(
      functions: [probe.function, body.function],
      slots: [IRSlot(size: 12), IRSlot(size: 100), IRSlot(size: 8), IRSlot(size: 8)], scratch: TestMaps.scratch)
  }

  @Test func memoryHasItsPlace() throws {
    var program = programWithLoop()
    PlaceMemory.run(&program)
    #expect(
      program.slots.prefix(4).map(\.place) == [
        .stack(offset: -16), .scratch(offset: 8), .scratch(offset: 0), .open,
      ])
    #expect(program.scratchSize == 112)
    #expect(program.functions.map { $0.scratchBase != nil } == [true, true])
    #expect(program.functions.map { $0.handover != nil } == [true, false])
    try IRCheck.verify(program)
  }

  /// Before Linux 6.3 no helper may read bytes of the stack that were not written.
  @Test(arguments: [0, 1]) func largeMemoryIsOnTheStackWhereAllOfItIsWritten(_ missing: Int32) throws {
    var builder = FunctionBuilder()
    builder.block()
    for word in Int32(0)..<8 { builder.add(.store(slot(0), 8 * word, .double, .constant(1))) }
    builder.add(.call(.getCurrentComm, [.slot(SlotID(number: 0), 64), .constant(Int64(16 - 8 * missing))]))
    builder.add(.call(.ringbufOutput, [.map(TestMaps.results), slot(0), .constant(80), .constant(0)]))
    var program = IRProgram(functions: [builder.function], slots: [IRSlot(size: 80)], scratch: TestMaps.scratch)
    PlaceMemory.run(&program)
    #expect(program.slots[0].place == (missing == 0 ? .stack(offset: -80) : .scratch(offset: 0)))
  }

  @Test func keysOfTheSameValuesAreWrittenOnce() throws {
    var builder = FunctionBuilder()
    builder.block()
    let map = IROperand.map(MapReference(id: 3))
    let (pid, time) = (builder.value(.call(.getCurrentPidTgid, [])), builder.value(.call(.ktimeGetNs, [])))
    for (number, value) in [pid, pid, time].enumerated() {
      builder.add(.store(slot(Int32(number)), 0, .double, .value(value)))
      builder.add(.call(.mapDeleteElem, [map, slot(Int32(number))]))
    }
    let slots = Array(repeating: IRSlot(size: 8), count: 3)
    var program = IRProgram(functions: [builder.function], slots: slots, scratch: TestMaps.scratch)
    ShareKeys.run(&program)
    #expect(
      program.functions[0].blocks[0].instructions.dropFirst(2).map(\.text) == [
        "store u64 [s0], v0", "call bpf_map_delete_elem(map3, s0)", "call bpf_map_delete_elem(map3, s0)",
        "store u64 [s2], v1", "call bpf_map_delete_elem(map3, s2)",
      ])
  }

  @Test func callbacksAreEntries() throws {
    let program = try generate(programWithLoop(), name: "loop").assembled
    #expect(program.entries.count == 2)
    #expect(program.lines()[program.lines().count - 1].text == "exit")
  }

  @Test func loopsThatNeverRunLeaveNothing() throws {
    var probe = FunctionBuilder(), body = FunctionBuilder()
    probe.block()
    probe.end(.exit(.value(probe.value(.loop(FunctionID(number: 1), count: .constant(0))))))
    body.block()
    let program = IRProgram(functions: [probe.function, body.function], scratch: TestMaps.scratch)
    #expect(try generate(program, name: "loop").assembled.lines().map(\.text) == ["r0 = 0", "exit"])
  }

  @Test func whatNobodyReadsIsRemoved() throws {
    var builder = FunctionBuilder()
    builder.block()
    builder.add(.store(slot(0), 0, .double, .constant(1)))
    _ = builder.value(.call(.ktimeGetNs, []))
    let map = MapReference(id: 3)
    _ = builder.value(.call(.mapLookupElem, [.map(map), .constant(0)]))
    builder.add(.call(.mapDeleteElem, [.map(map), .constant(0)]))
    var program = IRProgram(functions: [builder.function], slots: [IRSlot(size: 8)], scratch: TestMaps.scratch)
    DeadCode.run(&program)
    #expect(program.functions[0].blocks[0].instructions.map(\.text) == ["call bpf_map_delete_elem(map3, 0)"])
  }

  @Test func questionsAreAskedOnce() {
    var builder = FunctionBuilder()
    builder.block()
    let values = [Helper.getCurrentPidTgid, .getCurrentPidTgid, .ktimeGetNs, .ktimeGetNs].map { helper in
      IROperand.value(builder.value(.call(helper, [])))
    }
    for (index, value) in values.enumerated() { builder.add(.store(slot(0), Int32(index * 8), .double, value)) }
    var function = builder.function
    #expect(CommonValues.run(&function))
    #expect(
      function.blocks[0].instructions.suffix(4).map(\.text) == [
        "store u64 [s0], v0", "store u64 [s0 + 8], v0", "store u64 [s0 + 16], v2", "store u64 [s0 + 24], v3",
      ])
  }

  /// The verifier knows nothing of quotients and swapped bytes: a mask and a test say what it has to know.
  @Test func limitsThatTheVerifierNeedsStay() {
    var builder = FunctionBuilder()
    builder.block()
    let context = IROperand.value(builder.value(.context))
    let byte = IROperand.value(builder.value(.load(context, 0, .byte, signed: false)))
    let bit = IROperand.value(builder.value(.binary(.and, byte, .constant(1))))
    let number = IROperand.value(builder.value(.load(context, 8, .double, signed: false)))
    let limited: [IROperation] = [
      .binary(.and, byte, .constant(255)),
      .binary(.and, .value(builder.value(.binary(.div, byte, number))), .constant(255)),
      .compare(.ne, bit, .constant(0)), .compare(.ne, .value(builder.value(.binary(.mod, bit, number))), .constant(0)),
      .binary(.div, .constant(0), number),
    ]
    for (index, operation) in limited.enumerated() {
      builder.add(.store(slot(0), Int32(index * 8), .double, .value(builder.value(operation))))
    }
    var function = builder.function
    Simplify.run(&function)
    #expect(
      function.blocks[0].instructions.dropFirst(6).map(\.text) == [
        "store u64 [s0], v1", "v7 = and v4, 255", "store u64 [s0 + 8], v7", "v8 = compare set v1, 1",
        "store u64 [s0 + 16], v8", "v9 = compare ne v5, 0", "store u64 [s0 + 24], v9", "store u64 [s0 + 32], 0",
      ])
  }

  @Test func movesInCirclesUseASpareRegisterOrMemory() {
    let moves: [(to: Register, from: Register)] = [(.r1, .r2), (.r2, .r1), (.r3, .r1), (.r4, .r4)]
    #expect(
      ParallelMove.steps(moves, spare: .r0) == [
        .move(.r3, .r1), .move(.r0, .r1), .move(.r1, .r2), .move(.r2, .r0),
      ])
    #expect(
      ParallelMove.steps(moves, spare: nil) == [.move(.r3, .r1), .save(.r1), .move(.r1, .r2), .restore(.r2)])
  }
}
