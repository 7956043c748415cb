extension FlameGraph {
  /// A frame as it is drawn.
  struct Box {
    var node: Int
    /// From 0 to 1, of the whole width.
    var start: Double
    var width: Double
  }

  /// Frames that a picture holds at most, so that browsers stay quick.
  static let mostBoxes = 20_000
  /// The narrowest frame that is drawn, a quarter of a pixel on a wide screen.
  private static let narrowest = 0.0001

  /// The frames that are wide enough to be drawn, callers first; those of one caller by name, so that pictures of two
  /// runs look alike.
  func layout() -> [Box] {
    guard total > 0 else { return [] }
    let least = leastDrawn()
    var boxes = [Box(node: 0, start: 0, width: 1)]
    var next = 0
    while next < boxes.count {
      boxes += children(of: boxes[next], least: least)
      next += 1
    }
    return boxes
  }

  private func children(of box: Box, least: Int64) -> [Box] {
    var start = box.start
    let places = nodes[box.node].children.values.sorted { nodes[$0].frame.precedes(nodes[$1].frame) }
    return places.compactMap { place in
      let width = Double(nodes[place].total) / Double(total)
      defer { start += width }
      return nodes[place].total >= least ? Box(node: place, start: start, width: width) : nil
    }
  }

  /// The count from which on a frame is drawn.
  private func leastDrawn() -> Int64 {
    let least = max(1, Int64((Double(total) * Self.narrowest).rounded(.up)))
    guard nodes.count > Self.mostBoxes else { return least }
    let counts = nodes.map(\.total).sorted(by: >)
    return max(least, counts[Self.mostBoxes - 1] + 1)
  }
}

extension Frame {
  fileprivate func precedes(_ other: Frame) -> Bool {
    (name, place.order) < (other.name, other.place.order)
  }
}

extension Frame.Place {
  fileprivate var order: Int {
    switch self {
    case .group: 0
    case .user: 1
    case .kernel: 2
    }
  }
}
