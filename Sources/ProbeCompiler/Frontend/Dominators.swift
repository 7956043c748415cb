/// Which blocks of a Lua function stand on every way to which.
struct Dominators {
  /// By block, how many stand before it in the order of `Flow`.
  private let position: [Int]
  /// By block, the last other one that stands on every way to it; nil for the entry and what nothing leads to.
  private var immediate: [Int?]

  /// - Parameter position: the entry's is 0.
  init(of blocks: [Flow.Block], in order: [Int], position: [Int]) {
    self.position = position
    immediate = Array(repeating: nil, count: blocks.count)
    var before: [Int?]
    // Loops lead back, so what one pass finds out may change what it has used.
    repeat {
      before = immediate
      for block in order {
        for next in blocks[block].successors where next != order[0] {
          immediate[next] = immediate[next].map { common($0, block) } ?? block
        }
      }
    } while immediate != before
  }

  func stands(_ one: Int, onEveryWayTo other: Int) -> Bool { common(one, other) == one }

  /// The last block that stands on every way to both.
  private func common(_ one: Int, _ other: Int) -> Int {
    var (one, other) = (one, other)
    while one != other {
      if position[one] > position[other] { one = immediate[one] ?? 0 } else { other = immediate[other] ?? 0 }
    }
    return one
  }
}
