import BPFAssembly

/// Jump threading: where a block's outcome is known for one of the ways into it, that way skips the block.
extension Simplify {
  /// A block's values as one way into the block sees them.
  private struct View {
    var values: [(value: ValueID, operand: IROperand)]

    func operand(_ operand: IROperand) -> IROperand {
      guard case .value(let value) = operand else { return operand }
      return values.first { $0.value == value }?.operand ?? operand
    }
  }

  /// How far back conditions are remembered.
  private static let mostFacts = 8

  /// Lets as many jumps as possible skip a block; whether there was one.
  mutating func thread() -> Bool {
    var graph = FlowGraph(function)
    var hasChanged = false
    for block in function.blocks.indices where graph.isReached[block] {
      if decideByFacts(block, graph) { hasChanged = true }
    }
    if hasChanged { graph = FlowGraph(function) }
    var usedOutside = valuesUsedOutside()
    for block in function.blocks.indices.dropFirst() where graph.isReached[block] && canBeSkipped(block) {
      var skips: [Repair.Skip] = []
      for edge in graph.edges(into: block) {
        guard let (target, view) = way(from: edge, through: block, graph) else { continue }
        function.blocks[edge.from].terminator.setTarget(edge.target, to: target)
        skips.append(Repair.Skip(edge: edge, values: view.values))
      }
      if skips.isEmpty { continue }
      hasChanged = true
      for skip in skips { graph.move(skip.edge, from: block, in: function) }
      for value in values(of: block) where usedOutside[value.index] {
        Repair(value: value, block: block, skips: skips, graph: graph).run(on: &self)
      }
      while usedOutside.count < Int(function.valueCount) { usedOutside.append(true) }
    }
    return hasChanged
  }

  /// Makes a branch a jump when the branches before it have decided it.
  private mutating func decideByFacts(_ block: Int, _ graph: FlowGraph) -> Bool {
    guard case .branch(let condition, let left, let right, let first, let second) = function.blocks[block].terminator,
      let edge = graph.onlyEdge(into: block), let outcome = outcome((condition, left, right), from: edge, graph)
    else { return false }
    function.blocks[block].terminator = .jump(outcome ? first : second)
    return true
  }

  private func values(of block: Int) -> [ValueID] {
    function.blocks[block].parameters + function.blocks[block].instructions.compactMap(\.result)
  }

  /// Only blocks whose instructions can be left out; and nothing is gained by skipping an exit.
  private func canBeSkipped(_ block: Int) -> Bool {
    if case .exit = function.blocks[block].terminator { return false }
    let instructions = function.blocks[block].instructions
    return instructions.count <= 4 && instructions.allSatisfy { $0.operation.isPure && $0.result != nil }
  }

  /// By value, whether another block than the one that makes it uses it.
  private func valuesUsedOutside() -> [Bool] {
    var home = Array(repeating: -1, count: Int(function.valueCount))
    var isUsed = Array(repeating: false, count: Int(function.valueCount))
    for block in function.blocks.indices {
      let look = { (operand: IROperand) in
        if let value = operand.valueNumber, home[value] != block { isUsed[value] = true }
      }
      for parameter in function.blocks[block].parameters { home[parameter.index] = block }
      for instruction in function.blocks[block].instructions {
        instruction.operation.forEachOperand(look)
        if let result = instruction.result { home[result.index] = block }
      }
      function.blocks[block].terminator.forEachOperand(look)
    }
    return isUsed
  }

  /// Where an edge into a block leads in the end, if that is known, and what the block's values are on that way.
  private func way(from edge: FlowGraph.Edge, through block: Int, _ graph: FlowGraph) -> (IRTarget, View)? {
    guard let arguments = function.blocks[edge.from].terminator.target(edge.target)?.arguments else { return nil }
    var view = View(values: Array(zip(function.blocks[block].parameters, arguments).map { ($0, $1) }))
    for instruction in function.blocks[block].instructions {
      guard case .operand(let operand) = simplest(instruction.operation.rewritten { view.operand($0) }),
        let result = instruction.result
      else { return nil }
      view.values.append((result, operand))
    }
    switch function.blocks[block].terminator {
    case .jump(let target): return (target.rewritten { view.operand($0) }, view)
    case .branch(let condition, let left, let right, let first, let second):
      guard let outcome = outcome(condition, view.operand(left), view.operand(right), from: edge, graph) else {
        return nil
      }
      return ((outcome ? first : second).rewritten { view.operand($0) }, view)
    case .exit: return nil
    }
  }

  /// Whether a condition holds on an edge; nil when that is not known.
  private func outcome(
    _ condition: Condition, _ left: IROperand, _ right: IROperand, from edge: FlowGraph.Edge, _ graph: FlowGraph
  ) -> Bool? {
    var test = (condition, left, right)
    while true {
      if let known = knowledge.outcome(test.0, test.1, test.2) { return known }
      guard let simpler = knowledge.simplerTest(test.0, test.1, test.2) else { break }
      test = simpler
    }
    return outcome(test, from: edge, graph)
  }

  /// What the branches on the only way to an edge say about a condition.
  private func outcome(
    _ test: (Condition, IROperand, IROperand), from edge: FlowGraph.Edge, _ graph: FlowGraph
  ) -> Bool? {
    var edge: FlowGraph.Edge? = edge
    for _ in 0..<Self.mostFacts {
      guard let here = edge else { return nil }
      if let known = outcome(test, after: here) { return known }
      edge = graph.onlyEdge(into: here.from)
    }
    return nil
  }

  /// What the branch that an edge comes from says about a condition.
  private func outcome(_ test: (Condition, IROperand, IROperand), after edge: FlowGraph.Edge) -> Bool? {
    guard case .branch(let fact, let left, let right, _, _) = function.blocks[edge.from].terminator, left == test.1,
      let held = edge.target == 0 ? fact : fact.negated
    else { return nil }
    if right == test.2 { return held.implies(test.0) }
    if held == .eq, let one = right.constant, let other = test.2.constant {
      return Arithmetic.holds(test.0, one, other)
    }
    return nil
  }
}
