/// In which order blocks are written: each behind one that leads to it where possible, cold ones at the end.
struct Layout {
  private let targets: [[Int]]
  private let isCold: [Bool]
  /// How many blocks that are not cold and not placed yet lead to each block.
  private var waiting: [Int]
  private var isPlaced: [Bool]
  private var order: [Int] = []

  /// - Parameter targets: where each block leads, the best one to follow it last; nil for blocks that vanish.
  static func order(targets: [[Int]?], isCold: [Bool]) -> [Int] {
    var layout = Layout(targets, isCold)
    layout.place(cold: false)
    layout.place(cold: true)
    return layout.order
  }

  private init(_ targets: [[Int]?], _ isCold: [Bool]) {
    self.targets = targets.map { $0 ?? [] }
    self.isCold = isCold
    isPlaced = targets.map { $0 == nil }
    waiting = Array(repeating: 0, count: targets.count)
    for (block, targets) in self.targets.enumerated() where !isCold[block] {
      for target in targets { waiting[target] += 1 }
    }
  }

  private mutating func place(cold: Bool) {
    for block in targets.indices where !isPlaced[block] && (isCold[block] == cold || block == 0) {
      var next: Int? = block
      while let block = next {
        isPlaced[block] = true
        order.append(block)
        if !isCold[block] { for target in targets[block] { waiting[target] -= 1 } }
        next = targets[block].last { !isPlaced[$0] && isCold[$0] == cold && waiting[$0] == 0 }
      }
    }
  }
}
