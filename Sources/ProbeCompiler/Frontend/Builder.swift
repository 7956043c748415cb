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
  /// What makes values that come out the same whenever it is done in a run.
  private var definitions: [Origin.Key: IROperation] = [:]
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
      if !embedded.isEmpty { program.functions[index].rewriteOperands(place) }
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
    function = program.functions.count - 1
    block = BlockID(number: 0)
    return (FunctionID(number: Int32(function)), from)
  }

  mutating func leave(to place: (Int, BlockID)) {
    (function, block) = place
  }

  mutating func newParameter(of block: BlockID) -> ValueID {
    let value = program.functions[function].newValue()
    program.functions[function].blocks[Int(block.number)].parameters.append(value)
    return value
  }

  // Instructions.

  @discardableResult
  mutating func emit(_ operation: IROperation) -> IROperand {
    let result = program.functions[function].newValue()
    append(IRInstruction(result: result, operation: operation, place: place))
    if isSteady(operation) { definitions[Origin.Key(function: function, value: result)] = operation }
    return .value(result)
  }

  /// Whether it gives the same each time that a run does it, for the same operands.
  private func isSteady(_ operation: IROperation) -> Bool {
    switch operation {
    case .binary, .negate, .extend, .swapBytes, .compare, .context, .number: return true
    case .call(let helper, _):
      return [.getCurrentPidTgid, .getCurrentUidGid, .getCurrentTask, .getSmpProcessorId, .getCurrentCgroupId]
        .contains(helper)
    case .load(.value(let base), _, _, _):
      // The context never changes.
      return definitions[Origin.Key(function: function, value: base)] == .context
    case .load, .iteration, .store, .atomic, .loop: return false
    }
  }

  /// Whether two operands of the function at hand are certainly the same number.
  func isSame(_ one: IROperand, _ other: IROperand) -> Bool {
    if one == other { return true }
    guard case .value(let a) = one, case .value(let b) = other,
      let first = definitions[Origin.Key(function: function, value: a)],
      let second = definitions[Origin.Key(function: function, value: b)]
    else { return false }
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
    emit(.call(helper, arguments))
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
    var finished: [Int32] = []
    var seen: Set<Int32> = [0]
    var stack: [(block: Int32, next: Int)] = [(0, 0)]
    while let (block, next) = stack.last {
      let targets = blocks[Int(block)].terminator.targets
      guard next < targets.count else {
        finished.append(block)
        stack.removeLast()
        continue
      }
      stack[stack.count - 1].next += 1
      let target = targets[targets.count - 1 - next].block.number  // the last first, so that the first follows its test
      if seen.insert(target).inserted { stack.append((target, 0)) }
    }
    var number: [Int32: Int32] = [:]
    for (index, block) in finished.reversed().enumerated() { number[block] = Int32(index) }
    blocks = finished.reversed().map { block in
      var sorted = blocks[Int(block)]
      sorted.terminator.renumber { number[$0] ?? $0 }
      return sorted
    }
  }
}

extension IRFunction {
  fileprivate mutating func rewriteOperands(_ rewrite: (IROperand) -> IROperand) {
    for block in blocks.indices {
      for index in blocks[block].instructions.indices {
        blocks[block].instructions[index].operation = blocks[block].instructions[index].operation.rewritten(rewrite)
      }
      blocks[block].terminator = blocks[block].terminator.rewritten(rewrite)
    }
  }
}

extension IRTerminator {
  fileprivate var targets: [IRTarget] {
    switch self {
    case .jump(let target): [target]
    case .branch(_, _, _, let yes, let no): [yes, no]
    case .exit: []
    }
  }

  fileprivate mutating func renumber(_ number: (Int32) -> Int32) {
    switch self {
    case .jump(var target):
      target.block.number = number(target.block.number)
      self = .jump(target)
    case .branch(let condition, let left, let right, var yes, var no):
      yes.block.number = number(yes.block.number)
      no.block.number = number(no.block.number)
      self = .branch(condition, left, right, yes, no)
    case .exit: break
    }
  }
}
