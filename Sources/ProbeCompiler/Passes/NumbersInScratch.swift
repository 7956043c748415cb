import BPFAssembly

/// Keeps numbers that live long in scratch: each is stored where it is made and loaded where it is used.
///
/// For programs that have more of them at a time than the stack has room for. Pointers stay where they are, as the
/// verifier would take what comes back from scratch for a number; and so does what addresses, lengths and other
/// arguments of helpers are made from and what ends loops, because the bounds that the verifier has seen would be
/// forgotten.
struct NumbersInScratch {
  /// A value whose uses all stand this close behind it, in its own block, finds a register.
  private static let near = 16

  private var function: IRFunction
  private let slot: SlotID
  /// By value, the byte of the slot where it lies.
  private var offsets: [Int32?]
  private(set) var size: Int32 = 0

  static func run(_ program: inout IRProgram) {
    for number in program.functions.indices {
      let slot = SlotID(number: Int32(program.slots.count))
      var pass = NumbersInScratch(program.functions[number], slot)
      if pass.size == 0 { continue }
      for block in pass.function.blocks.indices { pass.rewrite(block) }
      program.functions[number] = pass.function
      program.slots.append(IRSlot(size: pass.size, isInScratch: true))
    }
  }

  private init(_ function: IRFunction, _ slot: SlotID) {
    self.function = function
    self.slot = slot
    offsets = Array(repeating: nil, count: Int(function.valueCount))
    let isNumber = Self.numbers(function)
    let isBounded = Self.boundedValues(function)
    let livesLong = Self.longLives(function)
    for value in offsets.indices where isNumber[value] && !isBounded[value] && livesLong[value] {
      offsets[value] = size
      size += 8
    }
  }

  // MARK: Which values

  /// By value, whether it can be no pointer.
  private static func numbers(_ function: IRFunction) -> [Bool] {
    var isNumber = Array(repeating: false, count: Int(function.valueCount))
    func isPlain(_ operand: IROperand) -> Bool {
      operand.valueNumber.map { isNumber[$0] } ?? (operand.constant != nil)
    }
    for block in function.blocks.dropFirst() { for parameter in block.parameters { isNumber[parameter.index] = true } }
    for block in function.blocks {
      for instruction in block.instructions {
        guard let result = instruction.result else { continue }
        switch instruction.operation {
        case .negate, .extend, .swapBytes, .compare, .number, .iteration, .loop: isNumber[result.index] = true
        case .binary(let operation, let left, let right):
          // The verifier takes no other arithmetic with pointers than this.
          let mayBePointer = operation == .add || operation == .sub
          isNumber[result.index] = !mayBePointer || isPlain(left) && isPlain(right)
        case .load(let address, _, let width, _): isNumber[result.index] = width != .double || address.slot != nil
        case .context, .store, .atomic, .call: break
        }
      }
      // Edges lead forward only, so all that arrives at a parameter is known before its block is looked at.
      block.terminator.forEachArgument(in: function) { parameter, argument in
        if !isPlain(argument) { isNumber[parameter.index] = false }
      }
    }
    return isNumber
  }

  /// By value, whether an address, a helper's argument or the 0 or 1 at a loop body's end is made from it.
  private static func boundedValues(_ function: IRFunction) -> [Bool] {
    var isBounded = Array(repeating: false, count: Int(function.valueCount))
    let mark = { (operand: IROperand) in if let value = operand.valueNumber { isBounded[value] = true } }
    for block in function.blocks.reversed() {
      if case .exit(let operand) = block.terminator { mark(operand) }
      block.terminator.forEachArgument(in: function) { parameter, argument in
        if isBounded[parameter.index] { mark(argument) }
      }
      for instruction in block.instructions.reversed() {
        switch instruction.operation {
        case .load(let address, _, _, _), .store(let address, _, _, _), .atomic(_, let address, _, _, _): mark(address)
        case .call, .loop: instruction.operation.forEachOperand(mark)
        default: break
        }
        if let result = instruction.result, isBounded[result.index], instruction.operation.isPure {
          instruction.operation.forEachOperand(mark)
        }
      }
    }
    return isBounded
  }

  /// By value, whether it is used in another block than its own, or far behind its making.
  private static func longLives(_ function: IRFunction) -> [Bool] {
    var isLong = Array(repeating: false, count: Int(function.valueCount))
    var homes = Array(repeating: (block: -1, position: 0), count: Int(function.valueCount))
    for (number, block) in function.blocks.enumerated() {
      for parameter in block.parameters { homes[parameter.index] = (number, 0) }
      func look(_ operand: IROperand, _ position: Int) {
        guard let value = operand.valueNumber else { return }
        if homes[value].block != number || position - homes[value].position > near { isLong[value] = true }
      }
      for (position, instruction) in block.instructions.enumerated() {
        instruction.operation.forEachOperand { look($0, position) }
        if let result = instruction.result { homes[result.index] = (number, position) }
      }
      block.terminator.forEachOperand { look($0, block.instructions.count) }
    }
    return isLong
  }

  // MARK: Stores and loads

  private mutating func rewrite(_ number: Int) {
    let block = function.blocks[number]
    var output: [IRInstruction] = []
    for parameter in block.parameters { store(parameter, block.place, &output) }
    for instruction in block.instructions {
      var loaded: [Int: IROperand] = [:]
      instruction.operation.forEachOperand { load($0, instruction.place, &loaded, &output) }
      var changed = instruction
      changed.operation = instruction.operation.rewritten { $0.valueNumber.flatMap { loaded[$0] } ?? $0 }
      output.append(changed)
      if let result = instruction.result { store(result, instruction.place, &output) }
    }
    var loaded: [Int: IROperand] = [:]
    block.terminator.forEachOperand { load($0, block.place, &loaded, &output) }
    function.blocks[number].terminator = block.terminator.rewritten { $0.valueNumber.flatMap { loaded[$0] } ?? $0 }
    function.blocks[number].instructions = output
  }

  private func store(_ value: ValueID, _ place: UInt32, _ output: inout [IRInstruction]) {
    guard let offset = offsets[value.index] else { return }
    output.append(IRInstruction(operation: .store(.slot(slot, offset), 0, .double, .value(value)), place: place))
  }

  private mutating func load(
    _ operand: IROperand, _ place: UInt32, _ loaded: inout [Int: IROperand], _ output: inout [IRInstruction]
  ) {
    guard let value = operand.valueNumber, let offset = offsets[value], loaded[value] == nil else { return }
    let copy = function.newValue()
    output.append(
      IRInstruction(result: copy, operation: .load(.slot(slot, offset), 0, .double, signed: false), place: place))
    loaded[value] = .value(copy)
  }
}

extension IRTerminator {
  /// Calls `body` with each parameter of the blocks that it leads to, and what that one gets.
  fileprivate func forEachArgument(in function: IRFunction, _ body: (ValueID, IROperand) -> Void) {
    for index in 0..<targetCount {
      guard let target = target(index) else { continue }
      for pair in zip(function.blocks[target.block.index].parameters, target.arguments) { body(pair.0, pair.1) }
    }
  }
}
