import BPFAssembly

/// Does once what would be done again with the same outcome: pure operations, questions to the kernel whose answer
/// doesn't change during a run, and loads of the context.
struct CommonValues {
  private struct Key: Hashable {
    var kind: Int
    var first: IROperand
    var second: IROperand = .constant(0)
  }

  private struct Found {
    var value: ValueID
    var block: Int
  }

  private var function: IRFunction
  private let dominators: [Int]
  private var found: [Key: Found] = [:]
  /// By value, the earlier one that is the same.
  private var earlier: [ValueID?]
  private var isContext: [Bool]
  private var hasChanged = false

  /// Whether something was done twice.
  static func run(_ function: inout IRFunction) -> Bool {
    var pass = CommonValues(consume function)
    for block in pass.function.blocks.indices { pass.visit(block) }
    function = pass.function
    return pass.hasChanged
  }

  private init(_ function: IRFunction) {
    self.function = function
    dominators = FlowGraph(function).immediateDominators()
    earlier = Array(repeating: nil, count: Int(function.valueCount))
    isContext = Array(repeating: false, count: Int(function.valueCount))
    found.reserveCapacity(Int(function.valueCount))
  }

  private func resolved(_ operand: IROperand) -> IROperand {
    guard let value = operand.valueNumber, let other = earlier[value] else { return operand }
    return .value(other)
  }

  private mutating func visit(_ block: Int) {
    for index in function.blocks[block].instructions.indices {
      var instruction = function.blocks[block].instructions[index]
      if hasChanged {
        instruction.operation = instruction.operation.rewritten { resolved($0) }
        function.blocks[block].instructions[index] = instruction
      }
      guard let result = instruction.result else { continue }
      if case .context = instruction.operation { isContext[result.index] = true }
      guard let key = key(of: instruction.operation) else { continue }
      if let known = found[key], dominates(known.block, block) {
        earlier[result.index] = known.value
        hasChanged = true
      } else {
        found[key] = Found(value: result, block: block)
      }
    }
    if hasChanged { function.blocks[block].terminator = function.blocks[block].terminator.rewritten { resolved($0) } }
  }

  private func dominates(_ one: Int, _ other: Int) -> Bool {
    var block = other
    while block > one { block = dominators[block] }
    return block == one
  }

  /// What makes operations the same; nil for those that are never.
  private func key(of operation: IROperation) -> Key? {
    switch operation {
    case .binary(let operation, let left, let right):
      Key(kind: 0x100 | Int(operation.rawValue), first: left, second: right)
    case .negate(let operand): Key(kind: 0x200, first: operand)
    case .extend(let operand, let width, let signed):
      Key(kind: 0x300 | Int(width.rawValue) << 1 | (signed ? 1 : 0), first: operand)
    case .swapBytes(let operand, let width): Key(kind: 0x400 | Int(width.rawValue), first: operand)
    case .compare(let condition, let left, let right):
      Key(kind: 0x500 | Int(condition.rawValue), first: left, second: right)
    case .number(let operand): Key(kind: 0x600, first: operand)
    case .context: Key(kind: 0x700, first: .constant(0))
    case .iteration: Key(kind: 0x800, first: .constant(0))
    case .load(.value(let address), let offset, let width, let signed) where isContext[address.index]:
      Key(
        kind: 0x900 | Int(width.rawValue) << 1 | (signed ? 1 : 0), first: .value(address),
        second: .constant(Int64(offset)))
    case .call(let helper, []) where helper.isConstantDuringRun:
      Key(kind: 0x10000 | Int(helper.rawValue), first: .constant(0))
    case .load, .store, .atomic, .call, .loop: nil
    }
  }
}
