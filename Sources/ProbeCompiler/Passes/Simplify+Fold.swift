import BPFAssembly

/// Constant folding and copy propagation, in one pass from the entry on.
///
/// One pass is exact: blocks only lead forward, so where a block begins, all ways to it have been looked at.
extension Simplify {
  /// What the ways into a block bring for one of its parameters.
  private enum Arrival {
    case nothing
    case one(IROperand)
    case several
  }

  private struct Arrivals {
    var starts: [Int] = []
    var operands: [Arrival] = []
    var widths: [UInt8] = []

    init(_ function: IRFunction) {
      var count = 0
      starts.reserveCapacity(function.blocks.count)
      for block in function.blocks {
        starts.append(count)
        count += block.parameters.count
      }
      operands = Array(repeating: .nothing, count: count)
      widths = Array(repeating: 0, count: count)
    }

    mutating func add(_ operand: IROperand, at index: Int, width: UInt8) {
      widths[index] = max(widths[index], width)
      switch operands[index] {
      case .nothing: operands[index] = .one(operand)
      case .one(let other): if other != operand { operands[index] = .several }
      case .several: break
      }
    }

    func only(_ index: Int) -> IROperand? {
      if case .one(let operand) = operands[index] { operand } else { nil }
    }
  }

  mutating func fold() {
    var arrivals = Arrivals(function)
    var isReached = Array(repeating: false, count: function.blocks.count)
    isReached[0] = true
    for block in function.blocks.indices where isReached[block] {
      settleParameters(of: block, arrivals)
      foldInstructions(of: block)
      foldTerminator(of: block)
      deliver(function.blocks[block].terminator, &arrivals, &isReached)
    }
    dropSettledArguments(arrivals, isReached)
  }

  /// A parameter that gets the same on all ways is that.
  private mutating func settleParameters(of block: Int, _ arrivals: Arrivals) {
    for (index, parameter) in function.blocks[block].parameters.enumerated() {
      let arrival = arrivals.starts[block] + index
      if let only = arrivals.only(arrival) {
        replacements[parameter.index] = only
      } else {
        knowledge.learn(parameter, width: arrivals.widths[arrival])
      }
    }
  }

  private mutating func foldInstructions(of block: Int) {
    var instructions = function.blocks[block].takeInstructions()
    var count = 0
    for index in instructions.indices where fold(&instructions[index]) {
      if count < index { instructions[count] = instructions[index] }
      count += 1
    }
    instructions.removeLast(instructions.count - count)
    function.blocks[block].instructions = instructions
  }

  /// Makes one instruction as simple as can be; whether it is still needed.
  private mutating func fold(_ instruction: inout IRInstruction) -> Bool {
    if instruction.operation.hasOperand(where: { isReplaced($0) }) {
      instruction.operation = instruction.operation.rewritten { resolved($0) }
    }
    switch simplest(instruction.operation) {
    case .operand(let operand):
      if let result = instruction.result { replacements[result.index] = operand }
      return false
    case .operation(let operation):
      instruction.operation = operation
      if let result = instruction.result { knowledge.learn(result, operation) }
      return true
    }
  }

  /// Whether the operand is the same as something else.
  private func isReplaced(_ operand: IROperand) -> Bool {
    operand.valueNumber.map { replacements[$0] != nil } ?? false
  }

  /// What is left when nothing simpler is found any more.
  func simplest(_ operation: IROperation) -> Simplified {
    var operation = operation
    while let simplified = knowledge.simplified(operation) {
      guard case .operation(let simpler) = simplified else { return simplified }
      operation = simpler
    }
    return .operation(operation)
  }

  private mutating func foldTerminator(of block: Int) {
    if function.blocks[block].terminator.hasOperand(where: { isReplaced($0) }) {
      function.blocks[block].terminator = function.blocks[block].terminator.rewritten { resolved($0) }
    }
    if case .branch = function.blocks[block].terminator {
      function.blocks[block].terminator = decided(function.blocks[block].terminator)
    }
  }

  /// The terminator with its condition as simple as can be: a jump if only one way is left.
  private func decided(_ terminator: IRTerminator) -> IRTerminator {
    guard case .branch(var condition, var left, var right, var first, var second) = terminator else {
      return terminator
    }
    if first == second { return .jump(first) }
    while true {
      if let outcome = knowledge.outcome(condition, left, right) { return .jump(outcome ? first : second) }
      if let simpler = knowledge.simplerTest(condition, left, right) {
        (condition, left, right) = simpler
      } else if condition == .eq, right == .constant(0), let (one, other) = knowledge.bitTest(left) {
        // There is no negation of this condition; the ways change places instead.
        (condition, left, right) = (.set, one, other)
        swap(&first, &second)
      } else {
        return .branch(condition, left, right, first, second)
      }
    }
  }

  private func deliver(_ terminator: IRTerminator, _ arrivals: inout Arrivals, _ isReached: inout [Bool]) {
    for number in 0..<terminator.targetCount {
      guard let target = terminator.target(number) else { continue }
      isReached[target.block.index] = true
      let start = arrivals.starts[target.block.index]
      for (index, argument) in target.arguments.enumerated() {
        arrivals.add(argument, at: start + index, width: knowledge.width(argument))
      }
    }
  }

  /// Removes settled parameters and their arguments, and what unreached blocks hold.
  private mutating func dropSettledArguments(_ arrivals: Arrivals, _ isReached: [Bool]) {
    let isSettled = { (block: Int, index: Int) in arrivals.only(arrivals.starts[block] + index) != nil }
    for block in function.blocks.indices {
      guard isReached[block] else {
        function.blocks[block] = IRBlock()
        continue
      }
      for number in 0..<function.blocks[block].terminator.targetCount {
        guard var target = function.blocks[block].terminator.target(number), !target.arguments.isEmpty else { continue }
        let kept = target.arguments.indices.filter { !isSettled(target.block.index, $0) }
        if kept.count == target.arguments.count { continue }
        target.arguments = kept.map { target.arguments[$0] }
        function.blocks[block].terminator.setTarget(number, to: target)
      }
    }
    for block in function.blocks.indices where isReached[block] && !function.blocks[block].parameters.isEmpty {
      let parameters = function.blocks[block].parameters
      function.blocks[block].parameters = parameters.indices.filter { !isSettled(block, $0) }.map { parameters[$0] }
    }
  }
}

extension IRBlock {
  /// The instructions, which leave the block, to be changed without being copied.
  fileprivate mutating func takeInstructions() -> [IRInstruction] {
    let taken = instructions
    instructions = []
    return taken
  }
}
