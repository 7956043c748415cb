/// Which blocks lead to which, and which stand on every way to which.
///
/// Blocks that the entry does not lead to have no edges.
struct FlowGraph {
  /// Target `target` of the terminator of block `from`.
  struct Edge: Equatable {
    var from: Int
    var target: Int
  }

  private(set) var isReached: [Bool]
  /// Edges by the block they lead to: those into block b stand from `starts[b]` up to `starts[b + 1]`.
  private var edges: [Edge]
  private var starts: [Int]
  /// The edges into blocks where edges have come or gone since.
  private var changed: [Int: [Edge]] = [:]

  init(_ function: IRFunction) {
    let count = function.blocks.count
    isReached = Array(repeating: false, count: count)
    starts = Array(repeating: 0, count: count + 1)
    edges = []
    guard count > 0 else { return }
    isReached[0] = true
    for block in 0..<count where isReached[block] {
      for number in 0...1 {
        guard let target = function.blocks[block].terminator.targetBlock(number) else { break }
        isReached[target] = true
        starts[target + 1] += 1
      }
    }
    for block in 0..<count { starts[block + 1] += starts[block] }
    fill(function)
  }

  private mutating func fill(_ function: IRFunction) {
    edges = Array(repeating: Edge(from: 0, target: 0), count: starts[function.blocks.count])
    var next = starts
    for block in function.blocks.indices where isReached[block] {
      for number in 0...1 {
        guard let target = function.blocks[block].terminator.targetBlock(number) else { break }
        edges[next[target]] = Edge(from: block, target: number)
        next[target] += 1
      }
    }
  }

  /// The edges into a block, by the blocks that they come from.
  func edges(into block: Int) -> ArraySlice<Edge> {
    if !changed.isEmpty, let edges = changed[block] { return edges[...] }
    return edges[starts[block]..<starts[block + 1]]
  }

  /// The only edge into a block; nil when there are none or several.
  func onlyEdge(into block: Int) -> Edge? {
    let edges = edges(into: block)
    return edges.count == 1 ? edges.first : nil
  }

  /// Notes that an edge of `function`, which led to `block`, leads to another one now.
  ///
  /// A block that nothing leads to any more has no edges either.
  mutating func move(_ edge: Edge, from block: Int, in function: IRFunction) {
    if let target = function.blocks[edge.from].terminator.targetBlock(edge.target) {
      var edges = edges(into: target)
      let place = edges.firstIndex { ($0.from, $0.target) > (edge.from, edge.target) } ?? edges.endIndex
      edges.insert(edge, at: place)
      changed[target] = Array(edges)
    }
    remove(edge, from: block, in: function)
  }

  private mutating func remove(_ edge: Edge, from block: Int, in function: IRFunction) {
    let rest = edges(into: block).filter { $0 != edge }
    changed[block] = rest
    guard rest.isEmpty, block > 0, isReached[block] else { return }
    isReached[block] = false
    for number in 0...1 {
      guard let next = function.blocks[block].terminator.targetBlock(number) else { break }
      remove(Edge(from: block, target: number), from: next, in: function)
    }
  }

  /// For each block the last other one that stands on every way to it; the entry for itself and for what it does not
  /// lead to.
  ///
  /// One pass is exact because edges only lead forward.
  func immediateDominators() -> [Int] {
    var dominators = Array(repeating: 0, count: isReached.count)
    for block in dominators.indices.dropFirst() where isReached[block] {
      var common = -1
      for edge in edges(into: block) {
        var other = edge.from
        if common < 0 { common = other }
        while common != other {
          if common > other { common = dominators[common] } else { other = dominators[other] }
        }
      }
      dominators[block] = max(common, 0)
    }
    return dominators
  }
}
