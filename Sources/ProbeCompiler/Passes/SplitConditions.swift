import BPFAssembly

/// Makes a branch on two comparisons, of which both must hold, two branches: neither comparison need become a number.
struct SplitConditions {
  private var function: IRFunction
  private var comparisons: [Int: IROperation] = [:]
  private var blocks: [IRBlock] = []
  /// By block, where it begins now.
  private var numbers: [Int] = []

  static func run(_ function: inout IRFunction) {
    guard function.blocks.contains(where: testsTwoValues) else { return }
    var pass = SplitConditions(function: function)
    pass.findComparisons()
    guard function.blocks.contains(where: { pass.split($0) != nil }) else { return }
    for block in function.blocks { pass.add(block) }
    pass.renumber()
    pass.function.blocks = pass.blocks
    function = pass.function
  }

  private init(function: IRFunction) {
    self.function = function
  }

  /// Whether the block ends with a test of the bits that two values have in common.
  private static func testsTwoValues(_ block: IRBlock) -> Bool {
    if case .branch(.set, .value(let left), .value(let right), _, _) = block.terminator { left != right } else { false }
  }

  /// Comparisons that nothing but the end of their own block uses.
  private mutating func findComparisons() {
    var uses = Array(repeating: 0, count: Int(function.valueCount))
    function.forEachOperand { operand in if let value = operand.valueNumber { uses[value] += 1 } }
    for block in function.blocks {
      guard case .branch(.set, let left, let right, _, _) = block.terminator, left != right else { continue }
      for instruction in block.instructions {
        guard let result = instruction.result, uses[result.index] == 1, case .compare = instruction.operation,
          left == .value(result) || right == .value(result)
        else { continue }
        comparisons[result.index] = instruction.operation
      }
    }
  }

  /// The block's two comparisons.
  private func split(_ block: IRBlock) -> (first: IROperation, second: IROperation)? {
    guard case .branch(.set, let left, let right, _, _) = block.terminator,
      let first = left.valueNumber.flatMap({ comparisons[$0] }),
      let second = right.valueNumber.flatMap({ comparisons[$0] })
    else { return nil }
    return (first, second)
  }

  private mutating func add(_ block: IRBlock) {
    numbers.append(blocks.count)
    guard let (first, second) = split(block), case .branch(_, _, _, let both, let other) = block.terminator,
      case .compare(let one, let left, let right) = first, case .compare(let two, let under, let over) = second
    else { return blocks.append(block) }
    var start = block
    start.instructions.removeAll { $0.result.map { comparisons[$0.index] != nil } ?? false }
    start.terminator = .branch(one, left, right, IRTarget(block: fresh(blocks.count + 1)), other)
    let rest = IRBlock(
      terminator: .branch(two, under, over, both, other), place: block.place, isCold: block.isCold)
    blocks += [start, rest]
  }

  /// A number that is final, told from those that still have to be replaced by its sign.
  private func fresh(_ number: Int) -> BlockID { BlockID(index: -1 - number) }

  private mutating func renumber() {
    let numbers = numbers
    for block in blocks.indices { blocks[block].terminator.renumber { $0 < 0 ? -1 - $0 : numbers[$0] } }
  }
}
