import BPFAssembly

/// Writes once what several ways through a function end with: the exits with the same answer, and the instruction that
/// counts a failure before the exit, to which each failure hands the address of its counter.
struct MergeEnds {
  private var function: IRFunction

  static func run(_ function: inout IRFunction) {
    var pass = MergeEnds(function: consume function)
    pass.exitDirectly()
    for (answer, blocks) in pass.exits() where blocks.count > 1 { pass.merge(blocks, exitingWith: answer) }
    pass.function.removeUnreachedBlocks()
    function = pass.function
  }

  /// Lets blocks that jump to an exit be the exit themselves.
  private mutating func exitDirectly() {
    for number in function.blocks.indices {
      guard case .jump(let target) = function.blocks[number].terminator, isPlainExit(target.block.index) else {
        continue
      }
      function.blocks[number].terminator = function.blocks[target.block.index].terminator
    }
  }

  private func isPlainExit(_ number: Int) -> Bool {
    let block = function.blocks[number]
    guard case .exit(.constant) = block.terminator else { return false }
    return block.instructions.isEmpty && block.parameters.isEmpty
  }

  /// The blocks that exit with each constant.
  private func exits() -> [(answer: Int64, blocks: [Int])] {
    var blocks: [Int64: [Int]] = [:]
    for (number, block) in function.blocks.enumerated() {
      if case .exit(.constant(let answer)) = block.terminator { blocks[answer, default: []].append(number) }
    }
    return blocks.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private mutating func merge(_ blocks: [Int], exitingWith answer: Int64) {
    let failures = blocks.filter { counter(of: $0) != nil }
    let count = failures.count > 1 ? append(shared(failures[0])) : nil
    let end = append(IRBlock(terminator: .exit(.constant(answer)), place: function.blocks[blocks[0]].place))
    for number in blocks { function.blocks[number].terminator = .jump(IRTarget(block: end)) }
    if let count {
      function.blocks[count.index].terminator = .jump(IRTarget(block: end))
      for number in failures {
        guard let counter = counter(of: number) else { continue }
        function.blocks[number].instructions.removeLast()
        function.blocks[number].terminator = .jump(IRTarget(block: count, arguments: [counter]))
      }
    }
    skipEmptyBlocks(to: end)
  }

  private mutating func append(_ block: IRBlock) -> BlockID {
    function.blocks.append(block)
    return BlockID(index: function.blocks.count - 1)
  }

  /// The counter that a block increments as the last thing.
  private func counter(of number: Int) -> IROperand? {
    let block = function.blocks[number]
    guard block.isCold, case .atomic(.add, let address, 0, .constant(1), nil)? = block.instructions.last?.operation,
      case .mapValue = address
    else { return nil }
    return address
  }

  /// The block that increments the counter whose address it is handed; it stands for the place of one of them.
  private mutating func shared(_ failure: Int) -> IRBlock {
    let (address, place) = (function.newValue(), function.blocks[failure].place)
    var block = IRBlock(parameters: [address], place: place, isCold: true)
    block.instructions = [
      IRInstruction(operation: .atomic(.add, .value(address), 0, .constant(1), expected: nil), place: place)
    ]
    return block
  }

  /// Lets everything that leads to a block which only jumps to `end` lead there at once.
  private mutating func skipEmptyBlocks(to end: BlockID) {
    let jump = IRTerminator.jump(IRTarget(block: end))
    let isEmpty = function.blocks.map { $0.instructions.isEmpty && $0.parameters.isEmpty && $0.terminator == jump }
    for number in function.blocks.indices {
      function.blocks[number].terminator.renumber { isEmpty[$0] ? end.index : $0 }
      if case .branch(_, _, _, let first, let second) = function.blocks[number].terminator, first == second {
        function.blocks[number].terminator = .jump(first)
      }
    }
  }
}
