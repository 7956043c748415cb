/// Removes what nobody notices: results that nobody uses, stores into slots that nobody reads, blocks that nothing
/// leads to.
struct DeadCode {
  private var program: IRProgram
  /// By slot, whether its bytes may be read.
  private var isRead: [Bool]

  static func run(_ program: inout IRProgram) {
    let isRead = Array(repeating: false, count: program.slots.count)
    var pass = DeadCode(program: consume program, isRead: isRead)
    for number in pass.program.functions.indices {
      pass.program.functions[number].removeUnreachedBlocks()
      pass.removeUnused(from: number)
    }
    pass.findReads()
    if pass.isRead.contains(false) {
      for number in pass.program.functions.indices {
        pass.removeUnreadStores(from: number)
        pass.removeUnused(from: number)
      }
    }
    program = pass.program
  }

  // Values. Blocks lead forward only, so one pass from the end sees all uses of a value before its definition.

  private mutating func removeUnused(from number: Int) {
    var isUsed = Array(repeating: false, count: Int(program.functions[number].valueCount))
    for block in program.functions[number].blocks.indices.reversed() {
      removeUnusedArguments(of: block, in: number, isUsed)
      program.functions[number].blocks[block].removeUnused(&isUsed)
    }
    for block in program.functions[number].blocks.indices {
      program.functions[number].blocks[block].parameters.removeAll { !isUsed[$0.index] }
    }
  }

  /// Drops the arguments of parameters that nobody uses, and a branch that then makes no difference.
  ///
  /// The parameters of later blocks are still complete here.
  private mutating func removeUnusedArguments(of block: Int, in number: Int, _ isUsed: [Bool]) {
    for index in 0..<program.functions[number].blocks[block].terminator.targetCount {
      guard var target = program.functions[number].blocks[block].terminator.target(index), !target.arguments.isEmpty
      else { continue }
      let parameters = program.functions[number].blocks[target.block.index].parameters
      if parameters.allSatisfy({ isUsed[$0.index] }) { continue }
      target.arguments = parameters.indices.filter { isUsed[parameters[$0].index] }.map { target.arguments[$0] }
      program.functions[number].blocks[block].terminator.setTarget(index, to: target)
    }
    if case .branch(_, _, _, let first, let second) = program.functions[number].blocks[block].terminator,
      first == second
    {
      program.functions[number].blocks[block].terminator = .jump(first)
    }
  }

  // Slots.

  /// A slot whose address is only ever stored to is not read.
  private mutating func findReads() {
    for function in program.functions {
      for block in function.blocks {
        for instruction in block.instructions {
          if case .store(_, _, _, let value) = instruction.operation {
            read(value)
          } else {
            instruction.operation.forEachOperand { read($0) }
          }
        }
        block.terminator.forEachOperand { read($0) }
      }
    }
  }

  private mutating func read(_ operand: IROperand) {
    if let slot = operand.slot { isRead[slot.index] = true }
  }

  private mutating func removeUnreadStores(from number: Int) {
    let isRead = isRead
    for block in program.functions[number].blocks.indices {
      program.functions[number].blocks[block].instructions.removeAll { instruction in
        guard case .store(.slot(let slot, _), _, _, _) = instruction.operation else { return false }
        return !isRead[slot.index]
      }
    }
  }
}

extension IRBlock {
  /// Removes results that neither the block nor those behind it use, and notes what the rest uses.
  fileprivate mutating func removeUnused(_ isUsed: inout [Bool]) {
    func mark(_ operand: IROperand) {
      if let value = operand.valueNumber { isUsed[value] = true }
    }
    terminator.forEachOperand(mark)
    var first = instructions.count
    for index in instructions.indices.reversed() {
      var instruction = instructions[index]
      if !(instruction.result.map { isUsed[$0.index] } ?? false) {
        if instruction.operation.isDroppable { continue }
        instruction = instruction.withoutResult
      }
      instruction.operation.forEachOperand(mark)
      first -= 1
      instructions[first] = instruction
    }
    instructions.removeFirst(first)
  }
}

extension IRInstruction {
  /// The same without its result, which nobody uses: an atomic operation then need not bring the old value back.
  fileprivate var withoutResult: IRInstruction {
    var instruction = self
    instruction.result = nil
    if case .atomic(let operation, let address, let offset, let operand, nil) = self.operation,
      let plain = operation.withoutAnswer
    {
      instruction.operation = .atomic(plain, address, offset, operand, expected: nil)
    }
    return instruction
  }
}
