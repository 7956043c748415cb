import BPFAssembly
import RandomTestSupport

@testable import ProbeCompiler

/// Makes random programs that keep the rules of `IRProgram` and whose results are known.
///
/// All memory is written before it is read, nothing divides by zero, and addresses never get into results.
struct ProgramGenerator {
  private var random: SeededGenerator
  private var slots: [IRSlot] = []
  private var bodies: [IRFunction] = []
  private var builder = FunctionBuilder()
  /// Values that may be used where the builder stands.
  private var scope: [IROperand] = []
  private var depth = 0
  private var isBody = false
  private var budget = 0

  static func program(seed: UInt64) -> IRProgram {
    var generator = ProgramGenerator(random: SeededGenerator(seed: seed))
    return generator.program()
  }

  private init(random: SeededGenerator) {
    self.random = random
  }

  private mutating func program() -> IRProgram {
    for _ in 0..<number(1...5) { slots.append(IRSlot(size: Int32(number(1...8) * (chance(5) ? 64 : 8)))) }
    let count = chance(2) ? number(1...2) : 0
    // Callers stand before the bodies they call, so bodies are made from the last to the first.
    for index in 0..<count { bodies.insert(body(calling: index > 0 && chance(2) ? FunctionID(number: 2) : nil), at: 0) }
    var functions = [main()]
    functions += bodies
    return IRProgram(functions: functions, slots: slots, scratch: TestMaps.scratch)
  }

  private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  private mutating func chance(_ times: Int) -> Bool { number(1...times) == 1 }

  private mutating func main() -> IRFunction {
    builder = FunctionBuilder()
    isBody = false
    builder.block()
    for (index, slot) in slots.enumerated() {
      for offset in stride(from: 0, to: slot.size, by: 8) {
        builder.add(.store(.slot(SlotID(number: Int32(index)), 0), offset, .double, constant()))
      }
    }
    let context = builder.value(.context)
    scope = (0..<number(1...6)).map { index in
      .value(builder.value(.load(.value(context), Int32(index * 8), .double, signed: false)))
    }
    budget = number(5...60)
    statements()
    let results = scope.suffix(chance(3) ? 60 : 8)
    for (index, value) in results.enumerated() {
      builder.add(.store(.mapValue(TestMaps.results, 0), Int32(index * 8), .double, value))
    }
    for (index, slot) in slots.enumerated() where index < 4 {
      let last = IROperand.value(
        builder.value(.load(.slot(SlotID(number: Int32(index)), 0), slot.size - 8, .double, signed: false)))
      builder.add(.store(.mapValue(TestMaps.results, 480), Int32(index * 8), .double, last))
    }
    builder.end(.exit(.constant(0)))
    return builder.function
  }

  /// A loop body, perhaps with a loop in it.
  private mutating func body(calling inner: FunctionID?) -> IRFunction {
    builder = FunctionBuilder()
    isBody = true
    builder.block()
    scope = [.value(builder.value(.iteration)), constant()]
    budget = number(3...15)
    statements()
    if let inner { loop(inner) }
    let isOver = builder.value(.compare(condition(), operand(), operand()))
    builder.end(.exit(chance(2) ? .constant(0) : .value(isOver)))
    return builder.function
  }

  private mutating func statements() {
    while budget > 0 {
      budget -= 1
      switch number(1...14) {
      case 1...5: arithmetic()
      case 6: unary()
      case 7, 8: memory()
      case 9: helper()
      case 10: exchange()
      case 11...13:
        if depth < 3 { diamond() }
      case 14 where !isBody && !bodies.isEmpty: loop(FunctionID(number: Int32(number(1...bodies.count))))
      default: arithmetic()
      }
      if chance(9), depth > 0 { return }
    }
  }

  private mutating func constant() -> IROperand {
    switch number(1...6) {
    case 1: .constant(Int64(number(0...2)))
    case 2: .constant(Int64(1) << Int64(number(0...63)))
    case 3: .constant(Int64.random(in: .min ... .max, using: &random))
    case 4: .constant(Int64(Int32.random(in: .min ... .max, using: &random)))
    default: .constant(Int64(number(-300...300)))
    }
  }

  private mutating func operand() -> IROperand {
    chance(5) || scope.isEmpty
      ? constant()
      : chance(2)
        ? scope.suffix(4).randomElement(using: &random) ?? constant()
        : scope.randomElement(using: &random) ?? constant()
  }

  private mutating func condition() -> Condition { Condition.allCases.randomElement(using: &random) ?? .eq }

  private mutating func keep(_ operation: IROperation) { scope.append(.value(builder.value(operation))) }

  private mutating func arithmetic() {
    let operation = ALU.allCases.filter { $0 != .mov }.randomElement(using: &random) ?? .add
    var right = operand()
    switch operation {
    case .div, .mod: right = .value(builder.value(.binary(.or, right, .constant(1))))
    case .lsh, .rsh, .arsh:
      right = chance(2) ? .constant(Int64(number(0...63))) : .value(builder.value(.binary(.and, right, .constant(63))))
    default: break
    }
    keep(.binary(operation, operand(), right))
  }

  private mutating func unary() {
    switch number(1...4) {
    case 1: keep(.negate(operand()))
    case 2: keep(.extend(operand(), Width.allCases.randomElement(using: &random) ?? .word, signed: chance(2)))
    case 3: keep(.swapBytes(operand(), [.half, .word, .double].randomElement(using: &random) ?? .word))
    default: keep(.compare(condition(), operand(), operand()))
    }
  }

  /// A slot and an offset in it where `width` fits.
  private mutating func spot(_ width: Width) -> (SlotID, Int32) {
    let index = number(0...slots.count - 1)
    let offset = number(0...Int(slots[index].size) / width.bytes - 1) * width.bytes
    return (SlotID(number: Int32(index)), Int32(offset))
  }

  private mutating func memory() {
    let width = Width.allCases.randomElement(using: &random) ?? .word
    let (slot, offset) = spot(width)
    var address = IROperand.slot(slot, 0)
    if chance(4) { address = .value(builder.value(.binary(.add, address, .constant(0)))) }
    if chance(2) {
      builder.add(.store(address, offset, width, operand()))
    } else {
      keep(.load(address, offset, width, signed: chance(2)))
    }
  }

  private mutating func exchange() {
    let (slot, offset) = spot(.double)
    let operation = Atomic.allCases.randomElement(using: &random) ?? .add
    let expected: IROperand? = operation == .compareExchange ? operand() : nil
    let operation2 = IROperation.atomic(operation, .slot(slot, offset), 0, operand(), expected: expected)
    if operation.answers && !chance(3) { keep(operation2) } else { builder.add(operation2) }
  }

  private mutating func helper() {
    switch number(1...3) {
    case 1: keep(.call(.getCurrentPidTgid, []))
    case 2: builder.add(.call(.getPrandomU32, []))
    default:
      let (from, start) = spot(.double)
      let (to, end) = spot(.double)
      let address = builder.value(.number(.slot(from, start)))
      keep(.call(.probeReadKernel, [.slot(to, end), .constant(8), .value(address)]))
    }
  }

  private mutating func loop(_ body: FunctionID) {
    let count = builder.value(.binary(.and, operand(), .constant(3)))
    keep(.loop(body, count: chance(2) ? .constant(2) : .value(count)))
  }

  /// Two ways that meet, each of which may do something; what differs comes as parameters.
  private mutating func diamond() {
    let saved = scope
    let (condition, left, right) = (condition(), operand(), operand())
    let head = builder.current
    let count = number(0...4)
    depth += 1
    let first = side(head, count, saved)
    let second = side(head, count, saved)
    depth -= 1
    let (join, parameters) = builder.block(parameters: count)
    let one = connect(first, join), other = connect(second, join)
    builder.end(head, .branch(condition, left, right, one, other))
    scope = saved + parameters.map { .value($0) }
    if count > 0, chance(2) { test(parameters[0]) }
  }

  private struct Side {
    /// Where the way begins and ends; nil for one that leads from the head to the join.
    var ends: (BlockID, BlockID)?
    var arguments: [IROperand]
  }

  private mutating func side(_ head: BlockID, _ count: Int, _ saved: [IROperand]) -> Side {
    scope = saved
    guard !chance(3) else { return Side(ends: nil, arguments: arguments(count)) }
    let (start, _) = builder.block(isCold: chance(6))
    statements()
    return Side(ends: (start, builder.current), arguments: arguments(count))
  }

  private mutating func arguments(_ count: Int) -> [IROperand] {
    (0..<count).map { $0 == 0 && chance(2) ? .constant(Int64(number(0...1))) : operand() }
  }

  private mutating func connect(_ side: Side, _ join: BlockID) -> IRTarget {
    let target = IRTarget(block: join, arguments: side.arguments)
    guard let (start, end) = side.ends else { return target }
    builder.end(end, .jump(target))
    return IRTarget(block: start)
  }

  /// The shape of a nil test: a block that tests a parameter, whose value both ways use.
  private mutating func test(_ parameter: ValueID) {
    let head = builder.current
    let (first, _) = builder.block()
    let one = builder.value(.binary(.add, .value(parameter), operand()))
    let (second, _) = builder.block()
    let (join, parameters) = builder.block(parameters: 1)
    builder.end(first, .jump(IRTarget(block: join, arguments: [.value(one)])))
    builder.end(second, .jump(IRTarget(block: join, arguments: [.value(parameter)])))
    builder.end(
      head,
      .branch(
        chance(2) ? .ne : .eq, .value(parameter), .constant(Int64(number(0...1))), IRTarget(block: first),
        IRTarget(block: second)))
    scope.append(.value(parameters[0]))
  }
}
