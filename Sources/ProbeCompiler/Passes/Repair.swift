/// Makes a value reach its uses again after some ways skip the block that makes it.
///
/// Where ways with different values meet, blocks get a parameter; each use gets what reaches it.
struct Repair {
  /// A way that skips the block.
  struct Skip {
    var edge: FlowGraph.Edge
    /// What the block's values are on this way.
    var values: [(value: ValueID, operand: IROperand)]
  }

  let value: ValueID
  /// The block that makes the value.
  let block: Int
  let skips: [Skip]
  let graph: FlowGraph

  func run(on pass: inout Simplify) {
    let isNeeded = blocksThatNeed(in: pass.function)
    // By block, what the value is where it ends.
    var reaching = Array(repeating: IROperand?.none, count: pass.function.blocks.count)
    reaching[block] = .value(value)
    for number in pass.function.blocks.indices.dropFirst(block + 1) where isNeeded[number] {
      var arriving: [IROperand] = []
      for edge in graph.edges(into: number) { arriving.append(operand(on: edge, reaching)) }
      guard let first = arriving.first else { continue }
      if arriving.allSatisfy({ $0 == first }) {
        reaching[number] = first
      } else {
        reaching[number] = .value(addParameter(to: number, arriving, &pass))
      }
      replace(in: number, by: reaching[number] ?? first, &pass)
    }
  }

  private func operand(on edge: FlowGraph.Edge, _ reaching: [IROperand?]) -> IROperand {
    let skip = skips.first { $0.edge == edge }
    return skip?.values.first { $0.value == value }?.operand ?? reaching[edge.from] ?? .value(value)
  }

  /// The blocks that use the value or lead to one that does.
  private func blocksThatNeed(in function: IRFunction) -> [Bool] {
    var isNeeded = Array(repeating: false, count: function.blocks.count)
    for number in function.blocks.indices.dropFirst(block + 1).reversed() where graph.isReached[number] {
      var needs = false
      let look = { (operand: IROperand) in if operand == .value(value) { needs = true } }
      for instruction in function.blocks[number].instructions { instruction.operation.forEachOperand(look) }
      function.blocks[number].terminator.forEachOperand(look)
      for index in 0...1 {
        if let target = function.blocks[number].terminator.targetBlock(index), isNeeded[target] { needs = true }
      }
      isNeeded[number] = needs
    }
    return isNeeded
  }

  private func addParameter(to number: Int, _ arguments: [IROperand], _ pass: inout Simplify) -> ValueID {
    let parameter = pass.newParameter()
    pass.function.blocks[number].parameters.append(parameter)
    for (edge, argument) in zip(graph.edges(into: number), arguments) {
      guard var target = pass.function.blocks[edge.from].terminator.target(edge.target) else { continue }
      target.arguments.append(argument)
      pass.function.blocks[edge.from].terminator.setTarget(edge.target, to: target)
    }
    return parameter
  }

  private func replace(in number: Int, by operand: IROperand, _ pass: inout Simplify) {
    if operand == .value(value) { return }
    let rewrite = { (other: IROperand) in other == .value(value) ? operand : other }
    for index in pass.function.blocks[number].instructions.indices {
      let instruction = pass.function.blocks[number].instructions[index]
      guard instruction.operation.hasOperand(where: { $0 == .value(value) }) else { continue }
      let operation = instruction.operation.rewritten(rewrite)
      pass.function.blocks[number].instructions[index].operation = operation
      if let result = instruction.result { pass.knowledge.learn(result, operation) }
    }
    let terminator = pass.function.blocks[number].terminator
    pass.function.blocks[number].terminator = terminator.rewritten(rewrite)
  }
}
