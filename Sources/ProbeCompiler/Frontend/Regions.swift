import LuaBytecode
import Support

// The way through a function's blocks.
extension Frontend {
  /// What leaves a region.
  struct Exits {
    /// To blocks outside of it.
    var edges: [(target: Int, edge: Edge)] = []
    /// Back to the header of the loop that the region is.
    var continues: [Edge] = []
  }

  /// Compiles the blocks of a loop, or of the whole function, from one block on.
  mutating func runRegion(_ loop: Int?, from header: Int, _ entry: Edge) throws(MoontraceError) -> Exits {
    let flow = frame.flow
    var exits = Exits()
    var pending: [Int: [Edge]] = [header: [entry]]
    for block in flow.order {
      guard let edges = pending.removeValue(forKey: block) else { continue }
      try enter(edges, liveIn: flow.blocks[block].liveIn)
      var leaving: [(target: Int, edge: Edge)]
      if let inner = flow.blocks[block].loop, inner != loop, flow.loops[inner].header == block {
        pc = flow.blocks[block].start
        leaving = try runLoop(inner)
      } else {
        leaving = try runBlock(flow.blocks[block])
      }
      for (target, edge) in leaving {
        if target == header, loop != nil {
          exits.continues.append(edge)
        } else if loop == nil || flow.loops[loop ?? 0].blocks.contains(target) {
          pending[target, default: []].append(edge)
        } else {
          exits.edges.append((target, edge))
        }
      }
    }
    return exits
  }

  private mutating func runBlock(_ block: Flow.Block) throws(MoontraceError) -> [(target: Int, edge: Edge)] {
    let code = code
    isReachable = true
    pc = block.start
    while pc < block.end {
      setPlace()
      guard work.step(), !builder.isTooLarge else { throw tooLarge() }
      let instruction = code[pc]
      if instruction.opcode.isTest {
        return try runTest(instruction).map { (frame.flow.block(at: $0.target), $0.edge) }
      }
      switch instruction.opcode {
      case .forPrep: return try runForPrep(instruction).map { (frame.flow.block(at: $0.target), $0.edge) }
      case .forLoop: return try runForLoop(instruction).map { (frame.flow.block(at: $0.target), $0.edge) }
      default: try run(instruction)
      }
      guard isReachable else { return [] }
      pc += 1
    }
    return block.successors.map { ($0, here) }
  }

  /// The place at hand, to go on from.
  var here: Edge { Edge(block: builder.block, state: state) }

  mutating func go(to edge: Edge) {
    builder.move(to: edge.block)
    state = edge.state
    isReachable = true
  }
}
