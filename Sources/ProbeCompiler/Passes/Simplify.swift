import BPFAssembly

/// Makes a function smaller without changing what it does: folds constants, follows copies, decides branches, merges
/// blocks, and lets jumps skip blocks whose outcome is known where they come from.
///
/// The last turns Lua's tests of values that may be nil, and its `and` and `or`, into plain control flow.
struct Simplify {
  /// Rounds are repeated until nothing changes; this many are enough for everything seen.
  private static let mostRounds = 8

  var function: IRFunction
  var knowledge: ValueKnowledge
  /// By value, what it is the same as.
  var replacements: [IROperand?]

  static func run(_ function: inout IRFunction) {
    var pass = Simplify(function: consume function)
    for _ in 0..<mostRounds {
      pass.fold()
      pass.merge()
      if !pass.thread() { break }
    }
    if pass.materialize() {
      pass.fold()
      pass.merge()
    }
    function = pass.function
    function.removeUnreachedBlocks()
  }

  private init(function: IRFunction) {
    self.function = function
    knowledge = ValueKnowledge(valueCount: function.valueCount)
    replacements = Array(repeating: nil, count: Int(function.valueCount))
  }

  /// What an operand is in the end.
  func resolved(_ operand: IROperand) -> IROperand {
    var operand = operand
    while let number = operand.valueNumber, let other = replacements[number] { operand = other }
    return operand
  }

  mutating func newParameter() -> ValueID {
    knowledge.addParameter()
    replacements.append(nil)
    return function.newValue()
  }

  /// Appends blocks to the only one that leads to them.
  private mutating func merge() {
    let graph = FlowGraph(function)
    for block in function.blocks.indices where graph.isReached[block] {
      while case .jump(let target) = function.blocks[block].terminator, target.arguments.isEmpty,
        graph.onlyEdge(into: target.block.index) != nil
      {
        let next = function.blocks[target.block.index]
        function.blocks[block].instructions += next.instructions
        function.blocks[block].terminator = next.terminator
        function.blocks[block].place = next.place
        function.blocks[block].isCold = function.blocks[block].isCold || (next.isCold && block > 0)
        function.blocks[target.block.index] = IRBlock()
      }
    }
  }

  /// Makes a number of a condition where both ways lead to the same block, with 1 and 0; whether there was
  /// one.
  private mutating func materialize() -> Bool {
    var hasChanged = false
    for index in function.blocks.indices {
      guard case .branch(let condition, let left, let right, let first, let second) = function.blocks[index].terminator,
        first.block == second.block,
        let position = first.arguments.indices.first(where: { first.arguments[$0] != second.arguments[$0] })
      else { continue }
      var (rest, other) = (first.arguments, second.arguments)
      rest.remove(at: position)
      other.remove(at: position)
      let isTrue = first.arguments[position] == .constant(1) && second.arguments[position] == .constant(0)
      let isFalse = first.arguments[position] == .constant(0) && second.arguments[position] == .constant(1)
      guard rest == other, isTrue || isFalse, let asked = isTrue ? condition : condition.negated else { continue }
      let value = newParameter()
      let place = function.blocks[index].place
      function.blocks[index].instructions.append(
        IRInstruction(result: value, operation: .compare(asked, left, right), place: place))
      var target = first
      target.arguments[position] = .value(value)
      function.blocks[index].terminator = .jump(target)
      hasChanged = true
    }
    return hasChanged
  }
}

extension IRFunction {
  /// Removes the blocks that the entry does not lead to, and renumbers the others.
  mutating func removeUnreachedBlocks() {
    let isReached = FlowGraph(self).isReached
    if isReached.allSatisfy({ $0 }) { return }
    var numbers: [Int] = []
    var count = 0
    for reached in isReached {
      numbers.append(count)
      count += reached ? 1 : 0
    }
    var kept: [IRBlock] = []
    kept.reserveCapacity(count)
    for (number, block) in blocks.enumerated() where isReached[number] {
      kept.append(block)
      kept[kept.count - 1].terminator.renumber { numbers[$0] }
    }
    blocks = kept
  }
}
