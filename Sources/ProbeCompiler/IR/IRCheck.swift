import BPFAssembly
import Support

/// Proves that a program keeps the rules of `IRProgram`, so that the back end may rely on them.
struct IRCheck {
  private let program: IRProgram
  private let function: IRFunction
  private let number: Int
  private let dominators: [Int]
  private let isReached: [Bool]
  /// The block and index of each value's definition; parameters have index -1.
  private var definitions: [(block: Int, index: Int)?]

  /// - Throws: `.scriptFailed` that names the function, the block and the rule; the compiler is at fault.
  static func verify(_ program: IRProgram) throws(MoontraceError) {
    if program.functions.isEmpty { throw fault("it has no function") }
    for number in program.functions.indices {
      try checkEdges(program.functions[number], number)
      var check = IRCheck(program, number)
      try check.collectDefinitions()
      try check.checkUses()
    }
  }

  private init(_ program: IRProgram, _ number: Int) {
    self.program = program
    self.number = number
    function = program.functions[number]
    let graph = FlowGraph(function)
    dominators = graph.immediateDominators()
    isReached = graph.isReached
    definitions = Array(repeating: nil, count: Int(function.valueCount))
  }

  private static func checkEdges(_ function: IRFunction, _ number: Int) throws(MoontraceError) {
    if function.blocks.isEmpty { throw fault("f\(number) has no block") }
    if !function.blocks[0].parameters.isEmpty { throw fault("f\(number): the entry has parameters") }
    for (index, block) in function.blocks.enumerated() {
      for target in (0..<block.terminator.targetCount).compactMap(block.terminator.target) {
        guard function.blocks.indices.contains(target.block.index), target.block.index > index else {
          throw fault("f\(number) b\(index): leads to b\(target.block.number), which is not behind it")
        }
        guard function.blocks[target.block.index].parameters.count == target.arguments.count else {
          throw fault("f\(number) b\(index): b\(target.block.number) takes another number of arguments")
        }
      }
    }
  }

  private mutating func collectDefinitions() throws(MoontraceError) {
    for (number, block) in function.blocks.enumerated() {
      for parameter in block.parameters { try define(parameter, number, -1) }
      for (index, instruction) in block.instructions.enumerated() {
        if let result = instruction.result { try define(result, number, index) }
      }
    }
  }

  private mutating func define(_ value: ValueID, _ block: Int, _ index: Int) throws(MoontraceError) {
    guard definitions.indices.contains(value.index) else { throw wrong(block, "\(value.text) is beyond valueCount") }
    guard definitions[value.index] == nil else { throw wrong(block, "\(value.text) is defined twice") }
    definitions[value.index] = (block, index)
  }

  private func checkUses() throws(MoontraceError) {
    for (number, block) in function.blocks.enumerated() where isReached[number] {
      for (index, instruction) in block.instructions.enumerated() {
        try checkOperands(instruction.operation, number, index)
        try checkShape(instruction, number)
      }
      var operands: [IROperand] = []
      block.terminator.forEachOperand { operands.append($0) }
      for operand in operands { try checkOperand(operand, number, block.instructions.count) }
    }
  }

  private func checkOperands(_ operation: IROperation, _ block: Int, _ index: Int) throws(MoontraceError) {
    var operands: [IROperand] = []
    operation.forEachOperand { operands.append($0) }
    for operand in operands { try checkOperand(operand, block, index) }
  }

  private func checkOperand(_ operand: IROperand, _ block: Int, _ index: Int) throws(MoontraceError) {
    switch operand {
    case .value(let value):
      guard definitions.indices.contains(value.index), let definition = definitions[value.index] else {
        throw wrong(block, "\(value.text) is defined nowhere")
      }
      let isBefore = definition.block == block ? definition.index < index : dominates(definition.block, block)
      if !isBefore { throw wrong(block, "\(value.text) is not defined on every way here") }
    case .slot(let slot, let offset):
      guard program.slots.indices.contains(slot.index) else { throw wrong(block, "s\(slot.number) does not exist") }
      guard (0...program.slots[slot.index].size).contains(offset) else {
        throw wrong(block, "\(operand.text) is outside of the slot")
      }
    case .constant, .map, .mapValue: break
    }
  }

  private func dominates(_ one: Int, _ other: Int) -> Bool {
    var block = other
    while block > one { block = dominators[block] }
    return block == one
  }

  private func checkShape(_ instruction: IRInstruction, _ block: Int) throws(MoontraceError) {
    switch instruction.operation {
    case .binary(.mov, _, _): throw wrong(block, "mov is no operation")
    case .binary(.lsh, _, .constant(let count)), .binary(.rsh, _, .constant(let count)),
      .binary(.arsh, _, .constant(let count)):
      if !(0...63).contains(count) { throw wrong(block, "shifts by \(count)") }
    case .binary(.div, _, .constant(0)), .binary(.mod, _, .constant(0)): throw wrong(block, "divides by zero")
    case .load(let address, let offset, let width, _), .store(let address, let offset, let width, _):
      try checkAccess(address, offset, width.bytes, block)
    case .atomic(let operation, let address, let offset, _, let expected):
      try checkAccess(address, offset, 8, block)
      if (operation == .compareExchange) != (expected != nil) {
        throw wrong(block, "an operand of \(operation) is odd")
      }
    case .loop(let body, _):
      // Bodies come behind those that call them, so none calls itself.
      guard program.functions.indices.contains(body.index), body.index > number else {
        throw wrong(block, "f\(body.number) is no loop body that may be called here")
      }
    case .context where number != 0 && function.scratchBase == nil: throw wrong(block, "a loop body has no context")
    case .iteration where number == 0: throw wrong(block, "the probe has no iteration")
    default: break
    }
    try checkResult(instruction, block)
  }

  private func checkResult(_ instruction: IRInstruction, _ block: Int) throws(MoontraceError) {
    guard instruction.result == nil else {
      switch instruction.operation {
      case .store, .atomic(.add, _, _, _, _), .atomic(.or, _, _, _, _), .atomic(.and, _, _, _, _),
        .atomic(.xor, _, _, _, _):
        throw wrong(block, "'\(instruction.operation.text)' has no result")
      default: return
      }
    }
  }

  private func checkAccess(_ address: IROperand, _ offset: Int32, _ bytes: Int, _ block: Int) throws(MoontraceError) {
    guard case .slot(let slot, let start) = address, program.slots.indices.contains(slot.index) else { return }
    let first = Int(start) + Int(offset)
    if first < 0 || first + bytes > Int(program.slots[slot.index].size) {
      throw wrong(block, "an access at \(first) is outside of s\(slot.number)")
    }
  }

  private func wrong(_ block: Int, _ reason: String) -> MoontraceError {
    Self.fault("f\(number) b\(block): \(reason)")
  }

  private static func fault(_ reason: String) -> MoontraceError {
    MoontraceError(
      .scriptFailed, "the compiler's own program is wrong: \(reason)", remedy: "please report this as a bug")
  }
}
