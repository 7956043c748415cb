/// What stacks were seen and how often, as a tree of frames: each frame is as wide as its count, and stands on the one
/// that called it.
///
/// ```swift
/// var graph = FlameGraph(title: "profile", unit: "samples")
/// graph.add([Frame("bash", .group), Frame("main", .user), Frame("vfs_read", .kernel)], count: 3)
/// let picture = graph.svg()
/// ```
public struct FlameGraph: Sendable {
  /// A frame in its place: under the same callers.
  struct Node: Sendable {
    var frame: Frame
    var parent: Int
    var children: [Frame: Int] = [:]
    /// What was counted here and above.
    var total: Int64 = 0
    var depth: Int
  }

  public var title: String
  /// What the counts are: `samples`, `µs`, `bytes`.
  public var unit: String
  /// The first one is the root, which stands for everything. Callers come before what they call.
  private(set) var nodes: [Node]
  /// How many stacks were added.
  public private(set) var stackCount = 0

  /// Frames below the root that a stack may have; what lies deeper is left out of it.
  static let deepest = 512
  /// Frames that are told apart; once there are so many, what is new counts for its caller.
  static let mostNodes = 1 << 20

  public init(title: String, unit: String = "samples") {
    self.title = title
    self.unit = unit
    nodes = [Node(frame: Frame("all", .group), parent: 0, depth: 0)]
  }

  /// Everything that was counted.
  public var total: Int64 { nodes[0].total }

  /// Counts a stack, its outermost frame first. Counts below 1 have no width and are passed over; a total past 2^63
  /// stays there.
  public mutating func add(_ stack: [Frame], count: Int64) {
    guard count > 0 else { return }
    stackCount += 1
    var place = 0
    grow(place, by: count)
    for frame in stack.prefix(Self.deepest) {
      guard let next = child(frame, of: place) else { return }
      place = next
      grow(place, by: count)
    }
  }

  private mutating func grow(_ place: Int, by count: Int64) {
    let (sum, overflow) = nodes[place].total.addingReportingOverflow(count)
    nodes[place].total = overflow ? .max : sum
  }

  private mutating func child(_ frame: Frame, of parent: Int) -> Int? {
    if let known = nodes[parent].children[frame] { return known }
    if nodes.count >= Self.mostNodes { return nil }
    nodes.append(Node(frame: frame, parent: parent, depth: nodes[parent].depth + 1))
    nodes[parent].children[frame] = nodes.count - 1
    return nodes.count - 1
  }

  /// What was counted in all frames of a name, each stack once.
  public func count(of name: String) -> Int64 {
    nodes.indices.reduce(0) { sum, index in
      let isOutermost = nodes[index].frame.name == name && !hasCaller(named: name, index)
      return isOutermost ? sum + nodes[index].total : sum
    }
  }

  private func hasCaller(named name: String, _ index: Int) -> Bool {
    var place = index
    while place != 0 {
      place = nodes[place].parent
      if nodes[place].frame.name == name { return true }
    }
    return false
  }
}
