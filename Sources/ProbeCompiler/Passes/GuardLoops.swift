/// Lets a loop that runs zero times skip the call of `bpf_loop`.
///
/// Linux from 6.6 on doesn't look at the body of a loop whose count it knows to be 0, removes the body as dead code,
/// and then refuses the program because the call refers to it ("No program to jit"). With the test, it sees that the
/// call is dead, too.
struct GuardLoops {
  private var function: IRFunction
  private var blocks: [IRBlock] = []
  /// By block, where it begins now.
  private var numbers: [Int] = []

  static func run(_ function: inout IRFunction) {
    let hasLoops = function.blocks.contains { $0.instructions.contains(where: isUncertain) }
    if !hasLoops { return }
    var pass = GuardLoops(function: function)
    for block in function.blocks { pass.split(block) }
    for index in pass.blocks.indices { pass.renumber(index) }
    pass.function.blocks = pass.blocks
    function = pass.function
  }

  private init(function: IRFunction) {
    self.function = function
  }

  /// Whether the instruction is a loop that perhaps runs zero times.
  private static func isUncertain(_ instruction: IRInstruction) -> Bool {
    guard case .loop(_, let count) = instruction.operation else { return false }
    return count.constant.map { $0 == 0 } ?? true
  }

  private mutating func split(_ block: IRBlock) {
    numbers.append(blocks.count)
    var current = block
    current.instructions = []
    for instruction in block.instructions {
      if case .loop(_, let count) = instruction.operation, Self.isUncertain(instruction) {
        guardLoop(instruction, count, &current)
      } else {
        current.instructions.append(instruction)
      }
    }
    blocks.append(current)
  }

  /// Ends the block with the test; behind it comes a block with the loop, then one for what is left.
  private mutating func guardLoop(_ loop: IRInstruction, _ count: IROperand, _ current: inout IRBlock) {
    var inner = IRBlock(place: loop.place, isCold: current.isCold)
    var rest = IRBlock(terminator: current.terminator, place: current.place, isCold: current.isCold)
    var instruction = loop
    instruction.result = loop.result.map { _ in function.newValue() }
    inner.instructions = [instruction]
    rest.parameters = loop.result.map { [$0] } ?? []
    let end = fresh(blocks.count + 2)
    inner.terminator = .jump(IRTarget(block: end, arguments: instruction.result.map { [.value($0)] } ?? []))
    let skipping = IRTarget(block: end, arguments: loop.result.map { _ in [.constant(0)] } ?? [])
    current.terminator = .branch(.eq, count, .constant(0), skipping, IRTarget(block: fresh(blocks.count + 1)))
    current.place = loop.place
    blocks += [current, inner]
    current = rest
  }

  /// A number that is final, told from those that still have to be replaced by its sign.
  private func fresh(_ number: Int) -> BlockID { BlockID(index: -1 - number) }

  private mutating func renumber(_ block: Int) {
    let numbers = numbers
    blocks[block].terminator.renumber { $0 < 0 ? -1 - $0 : numbers[$0] }
  }
}
