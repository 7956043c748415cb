import BPFAssembly
import RandomTestSupport
import Support
import Testing

@testable import ProbeCompiler

/// `IRCheck` takes what keeps the rules and names what breaks them.
@Suite struct IRCheckTests {
  private func refusal(_ functions: [IRFunction], slots: [IRSlot] = []) -> String? {
    do {
      try IRCheck.verify(IRProgram(functions: functions, slots: slots, scratch: TestMaps.scratch))
      return nil
    } catch {
      return error.message
    }
  }

  /// Why a probe is refused that consists of some instructions.
  private func refusal(slots: [IRSlot] = [], _ build: (inout FunctionBuilder) -> Void) -> String? {
    var builder = FunctionBuilder()
    builder.block()
    build(&builder)
    return refusal([builder.function], slots: slots)
  }

  @Test func takesRandomPrograms() throws {
    let seed = SeededGenerator.seed(for: "IRCheckTests")
    for number in UInt64(0)..<50 { try IRCheck.verify(ProgramGenerator.program(seed: seed &+ number)) }
  }

  @Test func valuesAreDefinedOnceAndBeforeTheirUse() {
    #expect(refusal { $0.end(.exit(.value(ValueID(number: 3)))) }?.contains("v3 is defined nowhere") == true)
    let twice = refusal { builder in
      let value = builder.value(.context)
      builder.add(.context, value)
    }
    #expect(twice?.contains("f0 b0: v0 is defined twice") == true)
    let late = refusal { builder in
      builder.add(.negate(.value(ValueID(number: 0))), ValueID(number: 1))
      _ = builder.value(.context)
      _ = builder.value(.context)
    }
    #expect(late != nil)
  }

  @Test func valuesOfOneWayAreNotUsedWhereTwoMeet() {
    let message = refusal { builder in
      let head = builder.current
      let (side, _) = builder.block()
      let value = builder.value(.context)
      let (join, _) = builder.block()
      builder.end(side, .jump(IRTarget(block: join)))
      builder.end(head, .branch(.eq, .constant(0), .constant(1), IRTarget(block: side), IRTarget(block: join)))
      builder.end(join, .exit(.value(value)))
    }
    #expect(message?.contains("b2: v0 is not defined on every way here") == true)
  }

  @Test func blocksLeadForwardWithTheRightArguments() {
    let back = refusal { $0.end(.jump(IRTarget(block: BlockID(number: 0)))) }
    #expect(back?.contains("b0: leads to b0, which is not behind it") == true)
    let beyond = refusal { $0.end(.jump(IRTarget(block: BlockID(number: 9)))) }
    #expect(beyond?.contains("b9") == true)
    let missing = refusal { builder in
      let head = builder.current
      let (next, _) = builder.block(parameters: 1)
      builder.end(head, .jump(IRTarget(block: next)))
    }
    #expect(missing?.contains("takes another number of arguments") == true)
  }

  @Test(arguments: [
    (IROperation.binary(.lsh, .constant(1), .constant(64)), "shifts by 64"),
    (.binary(.div, .constant(1), .constant(0)), "divides by zero"),
    (.binary(.mov, .constant(1), .constant(0)), "mov"),
    (.load(.slot(SlotID(number: 0), 0), 1, .double, signed: false), "outside of s0"),
    (.load(.slot(SlotID(number: 4), 0), 0, .double, signed: false), "s4 does not exist"),
    (.number(.slot(SlotID(number: 0), 9)), "outside of the slot"),
    (.store(.slot(SlotID(number: 0), 0), 0, .double, .constant(0)), "has no result"),
    (.iteration, "no iteration"),
    (.loop(FunctionID(number: 0), count: .constant(1)), "no loop body"),
    (.loop(FunctionID(number: 3), count: .constant(1)), "no loop body"),
    (.atomic(.compareExchange, .slot(SlotID(number: 0), 0), 0, .constant(1), expected: nil), "is odd"),
  ])
  func operationsHaveTheirLimits(_ operation: IROperation, _ expected: String) {
    let message = refusal(slots: [IRSlot(size: 8)]) { _ = $0.value(operation) }
    #expect(message?.contains(expected) == true, "\(message ?? "accepted")")
  }

  @Test func loopBodiesHaveNoContext() {
    var probe = FunctionBuilder(), body = FunctionBuilder()
    probe.block()
    probe.add(.loop(FunctionID(number: 1), count: .constant(1)))
    body.block()
    _ = body.value(.context)
    #expect(refusal([probe.function, body.function])?.contains("f1 b0: a loop body has no context") == true)
  }
}
