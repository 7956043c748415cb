import BPFAssembly

/// Writes IR at a place that moves through the program; folds what is constant already.
///
/// A value, so that a loop body can be tried and thrown away.
struct Builder {
  private(set) var program: IRProgram
  private(set) var maps: [ProbeMap] = [.scratch]
  /// The function and block that instructions go to.
  private(set) var function = 0
  private(set) var block = BlockID(number: 0)
  /// By function and value, where the instruction stands that makes it; nil for parameters.
  private var definitions: [[(block: BlockID, index: Int)?]] = [[]]
  /// Slots that lie inside others.
  private var embedded: [SlotID: (slot: SlotID, offset: Int32)] = [:]
  /// The source place of what is written next.
  var place: UInt32 = 0
  private var instructionCount = 0
  private var blockCount = 1

  /// Whether the program is larger than any that was meant so: the passes take more time for each block the more there
  /// are, and the verifier sees a million instructions at most.
  var isTooLarge: Bool { instructionCount > 32_768 || blockCount > 4_096 }

  init() {
    program = IRProgram(functions: [IRFunction(blocks: [IRBlock()])], scratch: MapReference(id: 0))
  }

  mutating func shareScratch(_ sharing: ScratchSharing) { program.sharing = sharing }

  /// A map's number in this program.
  mutating func reference(_ map: ProbeMap) -> MapReference {
    if let index = maps.firstIndex(of: map) { return MapReference(id: index) }
    maps.append(map)
    return MapReference(id: maps.count - 1)
  }

  mutating func newSlot(_ size: Int32) -> SlotID {
    program.slots.append(IRSlot(size: (size + 7) / 8 * 8))
    return SlotID(number: Int32(program.slots.count - 1))
  }

  /// The same number, of which the verifier knows nothing: where ways with different constants meet, it would walk on
  /// once for each of them, and for each combination of several such numbers.
  mutating func opaque(_ operand: IROperand) -> IROperand {
    guard case .value = operand else { return operand }
    let slot = newSlot(8)
    program.slots[Int(slot.number)].isInScratch = true
    store(.slot(slot, 0), 0, operand)
    return load(.slot(slot, 0), 0)
  }

  /// Makes a slot a part of another one, so that nothing has to be copied; false when it is a part of one already.
  mutating func embed(_ inner: SlotID, in outer: SlotID, at offset: Int32) -> Bool {
    guard embedded[inner] == nil, inner != outer, embedded[outer] == nil else { return false }
    embedded[inner] = (outer, offset)
    return true
  }

  /// The program with the blocks of each function in an order in which each stands before those that it leads to.
  func finish() -> IRProgram {
    var program = program
    for index in program.functions.indices {
      program.functions[index].sortBlocks()
      if !embedded.isEmpty { program.functions[index].rewriteSlots { place($0) } }
    }
    return program
  }

  /// An address in a slot as one in the slot that holds it.
  private func place(_ operand: IROperand) -> IROperand {
    guard case .slot(let slot, let offset) = operand, let outer = embedded[slot] else { return operand }
    return .slot(outer.slot, outer.offset + offset)
  }

  // Places.

  mutating func newBlock(isCold: Bool = false) -> BlockID {
    blockCount += 1
    program.functions[function].blocks.append(IRBlock(isCold: isCold))
    return BlockID(number: Int32(program.functions[function].blocks.count - 1))
  }

  mutating func move(to block: BlockID) { self.block = block }

  /// Starts a function; what is written goes there until `leave(to:)`.
  mutating func enterNewFunction() -> (function: FunctionID, from: (Int, BlockID)) {
    let from = (function, block)
    program.functions.append(IRFunction(blocks: [IRBlock()]))
    definitions.append([])
    function = program.functions.count - 1
    block = BlockID(number: 0)
    return (FunctionID(number: Int32(function)), from)
  }

  mutating func leave(to place: (Int, BlockID)) {
    (function, block) = place
  }

  mutating func newParameter(of block: BlockID) -> ValueID {
    let value = program.functions[function].newValue()
    definitions[function].append(nil)
    program.functions[function].blocks[Int(block.number)].parameters.append(value)
    return value
  }

  // Instructions.

  @discardableResult
  mutating func emit(_ operation: IROperation) -> IROperand {
    let result = program.functions[function].newValue()
    definitions[function].append((block, program.functions[function].blocks[block.index].instructions.count))
    append(IRInstruction(result: result, operation: operation, place: place))
    return .value(result)
  }

  /// What makes a value of the function at hand.
  private func definition(of operand: IROperand) -> IROperation? {
    guard let value = operand.valueNumber, let place = definitions[function][value] else { return nil }
    return program.functions[function].blocks[place.block.index].instructions[place.index].operation
  }

  /// Whether it gives the same each time that a run does it, for the same operands.
  private func isSteady(_ operation: IROperation) -> Bool {
    switch operation {
    case .binary, .negate, .extend, .swapBytes, .compare, .context, .number: return true
    case .call(let helper, _):
      return [.getCurrentPidTgid, .getCurrentUidGid, .getCurrentTask, .getSmpProcessorId, .getCurrentCgroupId]
        .contains(helper)
    case .load(let base, _, _, _):
      // The context never changes.
      return definition(of: base) == .context
    case .iteration, .store, .atomic, .loop: return false
    }
  }

  /// Whether two operands of the function at hand are certainly the same number.
  func isSame(_ one: IROperand, _ other: IROperand) -> Bool {
    if one == other { return true }
    guard let first = definition(of: one), let second = definition(of: other), isSteady(first), isSteady(second) else {
      return false
    }
    var (operands, others) = ([IROperand](), [IROperand]())
    first.forEachOperand { operands.append($0) }
    second.forEachOperand { others.append($0) }
    let blank = { (_: IROperand) in IROperand.constant(0) }
    return first.rewritten(blank) == second.rewritten(blank) && operands.count == others.count
      && zip(operands, others).allSatisfy { isSame($0, $1) }
  }

  mutating func perform(_ operation: IROperation) {
    append(IRInstruction(result: nil, operation: operation, place: place))
  }

  private mutating func append(_ instruction: IRInstruction) {
    instructionCount += 1
    program.functions[function].blocks[Int(block.number)].instructions.append(instruction)
  }

  mutating func call(_ helper: Helper, _ arguments: IROperand...) -> IROperand {
    emit(.call(helper, CallArguments(arguments)))
  }

  mutating func binary(_ operation: ALU, _ left: IROperand, _ right: IROperand) -> IROperand {
    if case .constant(let a) = left, case .constant(let b) = right {
      return .constant(Arithmetic.binary(operation, a, b))
    }
    return emit(.binary(operation, left, right))
  }

  mutating func negate(_ operand: IROperand) -> IROperand {
    if case .constant(let value) = operand { return .constant(0 &- value) }
    return emit(.negate(operand))
  }

  mutating func compare(_ condition: Condition, _ left: IROperand, _ right: IROperand) -> IROperand {
    if case .constant(let a) = left, case .constant(let b) = right {
      return .constant(Arithmetic.holds(condition, a, b) ? 1 : 0)
    }
    return emit(.compare(condition, left, right))
  }

  mutating func load(_ base: IROperand, _ offset: Int32, _ width: Width = .double, signed: Bool = false) -> IROperand {
    emit(.load(base, offset, width, signed: signed))
  }

  mutating func store(_ base: IROperand, _ offset: Int32, _ value: IROperand, _ width: Width = .double) {
    perform(.store(base, offset, width, value))
  }

  // Terminators. Each ends the block at hand.

  mutating func jump(to block: BlockID, _ arguments: [IROperand] = []) {
    terminate(.jump(IRTarget(block: block, arguments: arguments)))
  }

  mutating func branch(_ condition: Condition, _ left: IROperand, _ right: IROperand, _ yes: BlockID, _ no: BlockID) {
    terminate(.branch(condition, left, right, IRTarget(block: yes), IRTarget(block: no)))
  }

  mutating func exit(_ value: IROperand = .constant(0)) {
    terminate(.exit(value))
  }

  private mutating func terminate(_ terminator: IRTerminator) {
    program.functions[function].blocks[Int(block.number)].terminator = terminator
    program.functions[function].blocks[Int(block.number)].place = place
  }
}

extension IRFunction {
  /// Drops blocks that nothing leads to, and numbers the others so that control only goes forward.
  mutating func sortBlocks() {
    let order = forwardOrder()
    var numbers = Array(repeating: 0, count: blocks.count)
    for (number, block) in order.enumerated() { numbers[block] = number }
    blocks = order.map { block in
      var sorted = blocks[block]
      sorted.terminator.renumber { numbers[$0] }
      return sorted
    }
  }

  /// The blocks that the entry leads to, each before those that it leads to itself.
  private func forwardOrder() -> [Int] {
    var finished: [Int] = []
    var isSeen = Array(repeating: false, count: blocks.count)
    isSeen[0] = true
    var stack = [(block: 0, left: blocks[0].terminator.targetCount)]
    while let (block, left) = stack.last {
      guard let target = blocks[block].terminator.targetBlock(left - 1) else {
        finished.append(block)
        stack.removeLast()
        continue
      }
      stack[stack.count - 1].left -= 1  // the last first, so that the first follows its test
      if !isSeen[target] { stack.append((target, blocks[target].terminator.targetCount)) }
      isSeen[target] = true
    }
    return finished.reversed()
  }
}

extension IRFunction {
  /// Puts other operands in place of addresses in slots.
  fileprivate mutating func rewriteSlots(_ rewrite: (IROperand) -> IROperand) {
    for block in blocks.indices {
      for index in blocks[block].instructions.indices {
        let operation = blocks[block].instructions[index].operation
        guard operation.hasOperand(where: { $0.slot != nil }) else { continue }
        blocks[block].instructions[index].operation = operation.rewritten(rewrite)
      }
      blocks[block].terminator = blocks[block].terminator.rewritten(rewrite)
    }
  }
}
