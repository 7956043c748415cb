import BPFAssembly
import Support
import Testing

@testable import ProbeCompiler

/// Small programs become just the instructions that one would write by hand.
@Suite struct GoldenTests {
  private static let map = MapReference(id: 7)
  private static let result = IROperand.mapValue(TestMaps.results, 0)

  /// The instructions of a probe, one a line.
  private func instructions(slots: [IRSlot] = [], _ build: (inout FunctionBuilder) -> Void) throws -> [String] {
    var builder = FunctionBuilder()
    builder.block()
    build(&builder)
    let program = IRProgram(functions: [builder.function], slots: slots, scratch: TestMaps.scratch)
    return try generate(program, name: "golden").assembled.lines().map(\.text)
  }

  /// `local x; if arg0 > 5 then x = arg1 end; if x ~= nil then result = x end`
  @Test func testsOfWhatMayBeNilAreSkipped() throws {
    let lines = try instructions { builder in
      let arguments = builder.arguments(1)
      let head = builder.current
      let (then, _) = builder.block()
      let second = builder.value(.load(.value(builder.context), 8, .double, signed: false))
      let (join, parameters) = builder.block(parameters: 2)
      let isNil = IRTarget(block: join, arguments: [.constant(0), .constant(0)])
      builder.end(head, .branch(.sgt, arguments[0], .constant(5), IRTarget(block: then), isNil))
      builder.end(then, .jump(IRTarget(block: join, arguments: [.constant(1), .value(second)])))
      builder.store(if: .ne, .value(parameters[0]), .constant(0), .value(parameters[1]), in: Self.result)
    }
    #expect(
      lines == [
        "r0 = *(u64 *)(r1 +0)", "if r0 s<= 0x5 goto pc+4", "r0 = *(u64 *)(r1 +8)", "r5 = map[1][0]+0 ll",
        "*(u64 *)(r5 +0) = r0", "r0 = 0", "exit",
      ])
  }

  @Test func comparisonsMeltIntoBranches() throws {
    let lines = try instructions { builder in
      let arguments = builder.arguments(2)
      let isLess = builder.value(.compare(.slt, arguments[0], arguments[1]))
      builder.store(if: .ne, .value(isLess), .constant(0), .constant(1), in: Self.result)
    }
    #expect(
      lines == [
        "r0 = *(u64 *)(r1 +0)", "r5 = *(u64 *)(r1 +8)", "if r0 s>= r5 goto pc+3", "r0 = map[1][0]+0 ll",
        "*(u64 *)(r0 +0) = 1", "r0 = 0", "exit",
      ])
  }

  @Test func waysThatDifferInZeroAndOneBecomeNumbers() throws {
    let lines = try instructions { builder in
      let arguments = builder.arguments(1)
      let head = builder.current
      let (join, parameters) = builder.block(parameters: 1)
      builder.add(.store(Self.result, 0, .double, .value(parameters[0])))
      let (yes, no) = ([IROperand.constant(1)], [IROperand.constant(0)])
      builder.end(
        head,
        .branch(
          .sgt, arguments[0], .constant(5), IRTarget(block: join, arguments: yes), IRTarget(block: join, arguments: no))
      )
    }
    #expect(
      lines == [
        "r0 = *(u64 *)(r1 +0)", "r5 = 1", "if r0 s> 0x5 goto pc+1", "r5 = 0", "r0 = map[1][0]+0 ll",
        "*(u64 *)(r0 +0) = r5", "r0 = 0", "exit",
      ])
  }

  /// `result = arg0 > 5 and 100 or 200`
  @Test func oneOfTwoConstantsIsSetBeforeTheBranch() throws {
    let lines = try instructions { builder in
      let arguments = builder.arguments(1)
      let head = builder.current
      let (join, parameters) = builder.block(parameters: 1)
      builder.add(.store(Self.result, 0, .double, .value(parameters[0])))
      let (yes, no) = ([IROperand.constant(100)], [IROperand.constant(200)])
      builder.end(
        head,
        .branch(
          .sgt, arguments[0], .constant(5), IRTarget(block: join, arguments: yes), IRTarget(block: join, arguments: no)
        ))
    }
    #expect(
      lines == [
        "r0 = *(u64 *)(r1 +0)", "r5 = 200", "if r0 s<= 0x5 goto pc+1", "r5 = 100", "r0 = map[1][0]+0 ll",
        "*(u64 *)(r0 +0) = r5", "r0 = 0", "exit",
      ])
  }

  /// `counts[pid] = (counts[pid] or 0) + 1`
  @Test func countsPerProcess() throws {
    let (key, value) = (IROperand.slot(SlotID(number: 0), 0), IROperand.slot(SlotID(number: 1), 0))
    let lines = try instructions(slots: [IRSlot(size: 8), IRSlot(size: 8)]) { builder in
      let pid = builder.value(.call(.getCurrentPidTgid, []))
      builder.add(.store(key, 0, .double, .value(builder.value(.binary(.rsh, .value(pid), .constant(32))))))
      let found = builder.value(.call(.mapLookupElem, [.map(Self.map), key]))
      let head = builder.current
      let (there, _) = builder.block()
      builder.add(.atomic(.fetchAdd, .value(found), 0, .constant(1), expected: nil))
      let (missing, _) = builder.block()
      builder.add(.store(value, 0, .double, .constant(1)))
      builder.add(.call(.mapUpdateElem, [.map(Self.map), key, value, .constant(1)]))
      builder.end(
        head, .branch(.eq, .value(found), .constant(0), IRTarget(block: missing), IRTarget(block: there)))
    }
    #expect(
      lines == [
        "call bpf_get_current_pid_tgid#14", "r0 >>= 32", "*(u64 *)(r10 -8) = r0", "r1 = map[7] ll", "r2 = r10",
        "r2 += -8", "call bpf_map_lookup_elem#1", "if r0 == 0x0 goto pc+3", "r5 = 1",
        "lock *(u64 *)(r0 +0) += r5", "goto pc+9", "*(u64 *)(r10 -16) = 1", "r1 = map[7] ll", "r2 = r10",
        "r2 += -8", "r3 = r10", "r3 += -16", "r4 = 1", "call bpf_map_update_elem#2", "r0 = 0", "exit",
      ])
  }

  @Test func swappedArgumentsGoAroundInACircle() throws {
    let lines = try instructions { builder in
      let arguments = builder.arguments(2)
      // Both arguments have their places, and change them.
      builder.add(.call(.csumDiff, [arguments[0], arguments[1], .constant(0), .constant(0), .constant(0)]))
      let head = builder.current
      let (join, parameters) = builder.block(parameters: 2)
      for (index, parameter) in parameters.enumerated() {
        builder.add(.store(Self.result, Int32(index * 8), .double, .value(parameter)))
      }
      let swapped = IRTarget(block: join, arguments: [arguments[1], arguments[0]])
      builder.end(
        head, .branch(.sgt, arguments[0], arguments[1], swapped, IRTarget(block: join, arguments: arguments)))
    }
    #expect(
      lines == [
        "r6 = *(u64 *)(r1 +0)", "r7 = *(u64 *)(r1 +8)", "r1 = r6", "r2 = r7", "r3 = 0", "r4 = 0", "r5 = 0",
        "call bpf_csum_diff#28", "if r6 s> r7 goto pc+3", "r0 = r7", "r7 = r6", "r6 = r0", "r0 = map[1][0]+0 ll",
        "*(u64 *)(r0 +0) = r7", "*(u64 *)(r0 +8) = r6", "r0 = 0", "exit",
      ])
  }

  @Test func whatDoesNotFitInFourRegistersAcrossACallIsOnTheStack() throws {
    let lines = try instructions { builder in
      let arguments = builder.arguments(6)
      builder.add(.call(.tracePrintk, [.constant(0)]))
      for (index, argument) in arguments.enumerated() {
        builder.add(.store(Self.result, Int32(index * 8), .double, argument))
      }
    }
    #expect(lines.filter { $0.hasPrefix("*(u64 *)(r10") }.count == 2, "\(lines)")
    #expect(lines.filter { $0.contains("= *(u64 *)(r10") }.count == 2, "\(lines)")
    #expect(lines.count == 6 + 2 + 2 + 1 + 2 + 6 + 2, "\(lines)")
  }

  @Test func coldBlocksStandAtTheEnd() throws {
    let lines = try instructions { builder in
      let arguments = builder.arguments(1)
      let head = builder.current
      let (wrong, _) = builder.block(isCold: true)
      builder.add(.call(.tracePrintk, [.constant(0)]))
      let (right, _) = builder.block()
      builder.end(head, .branch(.eq, arguments[0], .constant(0), IRTarget(block: wrong), IRTarget(block: right)))
    }
    #expect(
      lines == [
        "r0 = *(u64 *)(r1 +0)", "if r0 == 0x0 goto pc+2", "r0 = 0", "exit", "r1 = 0", "call bpf_trace_printk#6",
        "goto pc-5",
      ])
  }

  @Test func constantsAreFoldedExactly() throws {
    let lines = try instructions { builder in
      let sum = builder.value(.binary(.add, .constant(.max), .constant(1)))
      let quotient = builder.value(.binary(.div, .value(sum), .constant(1 << 62)))
      builder.end(.exit(.value(quotient)))
    }
    #expect(lines == ["r0 = 2", "exit"])
  }

  @Test(arguments: [80, 4200]) func tooMuchStackIsRefused(_ count: Int) throws {
    let error = #expect(throws: MoontraceError.self) {
      _ = try self.instructions { builder in
        let arguments = (0..<count).map { index in
          IROperand.value(builder.value(.load(.value(builder.context), Int32(index * 8), .double, signed: false)))
        }
        builder.add(.call(.tracePrintk, [.constant(0)]))
        for (index, argument) in arguments.enumerated() {
          builder.add(.store(Self.result, Int32(index * 8), .double, argument))
        }
      }
    }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("bytes of stack, the kernel grants 512") == true)
  }
}

extension FunctionBuilder {
  /// The first numbers that the kernel hands over.
  mutating func arguments(_ count: Int) -> [IROperand] {
    let context = context
    return (0..<count).map { .value(value(.load(.value(context), Int32($0 * 8), .double, signed: false))) }
  }

  var context: ValueID {
    mutating get { value(.context) }
  }

  /// Stores a value if a condition holds; then the function ends.
  mutating func store(
    if condition: Condition, _ left: IROperand, _ right: IROperand, _ value: IROperand, in place: IROperand
  ) {
    let head = current
    let (then, _) = block()
    add(.store(place, 0, .double, value))
    let (end, _) = block()
    self.end(head, .branch(condition, left, right, IRTarget(block: then), IRTarget(block: end)))
    self.end(then, .jump(IRTarget(block: end)))
  }
}
