import KernelLoader
import Support

/// What the probes have counted into an aggregate, less what a drain has handed out.
///
/// Reading an element and deleting it while a probe on another CPU adds to it would lose counts. So a drain leaves the
/// elements where they are and remembers how far they had got: sums and counts only grow, and their difference is
/// exact. Least and greatest values have no difference: they start over with each epoch (`AggregateEpoch`).
struct AggregateCounts {
  let map: KernelMap
  let shape: AggregateShape
  private var epoch: AggregateEpoch
  /// What has been handed out, by the map's key.
  private var drained: [[UInt8]: [Int64]] = [:]

  struct Entry {
    /// The map's.
    var key: [UInt8]
    /// As `AggregateShape.row` gives them.
    var words: [Int64]
  }

  init(map: KernelMap, shape: AggregateShape, epoch: AggregateEpoch) {
    self.map = map
    self.shape = shape
    self.epoch = epoch
  }

  /// All entries that something was counted in since the last drain.
  func read() throws(MoontraceError) -> [Entry] {
    try map.entries().compactMap { entry in
      news(of: entry.key, Self.words(entry.value), since: epoch.current)
    }
  }

  /// One entry; nil when nothing was counted in it since the last drain.
  func read(_ key: [UInt8]) throws(MoontraceError) -> Entry? {
    guard let value = try map.lookup(key) else { return nil }
    return news(of: key, Self.words(value), since: epoch.current)
  }

  /// The same as `read()`, each count handed out once: the next drain goes on from here.
  mutating func drain() throws(MoontraceError) -> [Entry] {
    // Once before the epoch ends and once after: what a probe counts in between is in one of them, or in both.
    let ended = epoch.current
    var before: [[UInt8]: [Int64]] = [:]
    if shape.hasExtremes {
      for entry in try map.entries() { before[entry.key] = Self.words(entry.value) }
      epoch.advance()
    }
    let now = try map.entries()
    var entries: [Entry] = []
    var idle: [[UInt8]] = []
    for (key, slots) in now.map({ ($0.key, Self.words($0.value)) }) {
      if let news = news(of: key, slots, and: before[key] ?? [], since: ended) {
        entries.append(news)
        drained[key] = shape.added(slots)
      } else if drained[key] == shape.added(slots) {
        idle.append(key)
      }
    }
    if !shape.isArray, now.count > map.definition.maxEntries / 2 { entries += try remove(idle) }
    return entries
  }

  /// Makes room by the keys to which nothing was added since the last drain; what came to them this moment.
  private mutating func remove(_ idle: [[UInt8]]) throws(MoontraceError) -> [Entry] {
    var late: [Entry] = []
    for key in idle {
      guard let value = try map.take(key) else { continue }
      if let news = news(of: key, Self.words(value), since: epoch.current) { late.append(news) }
      drained[key] = nil
    }
    return late
  }

  /// - Parameters:
  ///   - slots: an element's words.
  ///   - earlier: the same words as they were before, for extremes that have been started over since.
  private func news(of key: [UInt8], _ slots: [Int64], and earlier: [Int64] = [], since epoch: Int64) -> Entry? {
    let before = drained[key]
    let total = shape.added(slots)
    let added = before.map { zip(total, $0).map { $0 &- $1 } } ?? total
    var extremes = shape.extremes(slots + earlier, since: epoch)
    // A probe counted here that had looked at the epoch just before it ended.
    if extremes == nil, added.contains(where: { $0 != 0 }) { extremes = shape.extremes(slots, since: 1) }
    if before != nil, !shape.isArray, extremes == nil, added.allSatisfy({ $0 == 0 }) { return nil }
    return shape.row(added: added, extremes: extremes).map { Entry(key: key, words: $0) }
  }

  private static func words(_ bytes: [UInt8]) -> [Int64] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
    }
  }
}
