import KernelLoader
import ProbeCompiler

/// How an aggregate lies in the kernel: its map, and the words that each CPU keeps for an entry.
///
/// `count`, `sum` and each bucket of a histogram are one word; `avg` is the count and the sum; `min` and `max` the epoch
/// and the value; `stats` the count, the sum, the least, the greatest and the epoch of those two.
struct AggregateShape {
  let function: ProbeSchema.AggregateType.Function
  /// The user's key; nil for an aggregate without one.
  let key: DataType?

  /// nil while no probe has shown whether there is a key.
  init?(_ type: ProbeSchema.AggregateType) {
    guard let key = type.key else { return nil }
    function = type.function
    self.key = key == .tuple([]) ? nil : key
  }

  /// Entries of an aggregate with a key, unless told.
  static let standardMaximum = 10_240

  /// 64-bit words of one CPU's slot.
  var wordCount: Int {
    switch function {
    case .count, .sum, .histogram, .linear: 1
    case .average, .minimum, .maximum: 2
    case .statistics: 5
    }
  }

  /// The words that only grow by what probes add, so that differences of them are exact.
  private var addedColumns: Range<Int> {
    switch function {
    case .count, .sum, .histogram, .linear: 0..<1
    case .average, .statistics: 0..<2
    case .minimum, .maximum: 0..<0
    }
  }

  /// The words that keep a least or greatest value, and the word with the epoch that they belong to.
  private var extremes: (columns: [(number: Int, better: (Int64, Int64) -> Int64)], epoch: Int)? {
    switch function {
    case .count, .sum, .average, .histogram, .linear: nil
    case .minimum: ([(1, min)], 0)
    case .maximum: ([(1, max)], 0)
    case .statistics: ([(2, min), (3, max)], 4)
    }
  }

  /// Whether it keeps a least or greatest value, which starts over with each epoch.
  var hasExtremes: Bool { extremes != nil }

  /// How many buckets a histogram has; nil for what is none.
  var bucketCount: Int? { function.bucketCount }

  /// Whether its map is an array: one value, or one for each bucket.
  var isArray: Bool { key == nil }

  /// Bytes of a map's key: the user's key and behind it, in histograms, the bucket.
  var keySize: Int {
    guard let key else { return 4 }
    return Int(key.size) + (bucketCount == nil ? 0 : 8)
  }

  /// Words of a row (see `row`).
  var rowWordCount: Int { addedColumns.count + (function == .statistics ? 2 : hasExtremes ? 2 : 0) }

  func definition(name: String, maximum: Int) -> KernelMap.Definition {
    KernelMap.Definition(
      name: name, type: isArray ? .perCPUArray : .perCPUHash, keySize: keySize, valueSize: 8 * wordCount,
      maxEntries: isArray ? bucketCount ?? 1 : maximum)
  }

  // MARK: Totals

  /// What all CPUs have added to an entry since it was made.
  ///
  /// - Parameter slots: each CPU's words, one CPU after the other.
  func added(_ slots: [Int64]) -> [Int64] {
    addedColumns.map { column($0, slots).reduce(0, &+) }
  }

  /// The least and greatest values of all CPUs from `epoch` on; nil when there are none.
  func extremes(_ slots: [Int64], since epoch: Int64) -> [Int64]? {
    guard let (columns, stamp) = extremes else { return nil }
    let isCurrent = column(stamp, slots).map { $0 >= epoch }
    guard isCurrent.contains(true) else { return nil }
    return columns.compactMap { column in
      let values = zip(isCurrent, self.column(column.number, slots)).filter(\.0).map(\.1)
      return values.dropFirst().reduce(values.first, { best, value in best.map { column.better($0, value) } })
    }
  }

  /// An entry's words for Lua: for extremes alone 1 and the value, else what was added and then the extremes; nil when
  /// no value was counted.
  func row(added: [Int64], extremes: [Int64]?) -> [Int64]? {
    switch function {
    case .minimum, .maximum: return extremes.map { [1] + $0 }
    case .statistics: return added[0] == 0 ? nil : extremes.map { added + $0 }
    case .sum: return added
    case .count, .average, .histogram, .linear: return isArray || added[0] != 0 ? added : nil
    }
  }

  private func column(_ number: Int, _ slots: [Int64]) -> [Int64] {
    stride(from: number, to: slots.count, by: wordCount).map { slots[$0] }
  }
}

extension ProbeSchema.AggregateType.Function {
  /// As scripts and JSON call it (SPEC §1).
  var name: String {
    switch self {
    case .count: "count"
    case .sum: "sum"
    case .average: "avg"
    case .minimum: "min"
    case .maximum: "max"
    case .statistics: "stats"
    case .histogram: "hist"
    case .linear: "lhist"
    }
  }
}
