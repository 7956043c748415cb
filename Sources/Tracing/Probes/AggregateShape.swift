import KernelLoader
import ProbeCompiler

/// How an aggregate lies in the kernel: its map, and the words that each CPU keeps for an entry.
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
    case .statistics: 4
    }
  }

  /// How many buckets a histogram has; nil for what is none.
  var bucketCount: Int? {
    switch function {
    case .histogram: return 2 + 63
    case .linear(let low, let high, let step):
      let (width, overflow) = high.subtractingReportingOverflow(low)
      guard !overflow, step > 0, width > 0 else { return 2 }
      return 2 + Int((width - 1) / step + 1)
    default: return nil
    }
  }

  /// Whether its map is an array: one value, or one for each bucket.
  var isArray: Bool { key == nil }

  /// Bytes of a map's key: the user's key and behind it, in histograms, the bucket.
  var keySize: Int {
    guard let key else { return 4 }
    return Int(key.size) + (bucketCount == nil ? 0 : 8)
  }

  func definition(name: String, maximum: Int) -> KernelMap.Definition {
    KernelMap.Definition(
      name: name, type: isArray ? .perCPUArray : .perCPUHash, keySize: keySize, valueSize: 8 * wordCount,
      maxEntries: isArray ? bucketCount ?? 1 : maximum)
  }

  /// The sum over all CPUs of an entry's words; nil when no CPU has counted anything.
  ///
  /// - Parameter slots: each CPU's words, one CPU after the other.
  func total(_ slots: [Int64]) -> [Int64]? {
    switch function {
    case .count, .sum, .histogram, .linear, .average: sum(slots)
    case .minimum: extreme(slots, min)
    case .maximum: extreme(slots, max)
    case .statistics: statistics(slots)
    }
  }

  private func column(_ number: Int, _ slots: [Int64]) -> [Int64] {
    stride(from: number, to: slots.count, by: wordCount).map { slots[$0] }
  }

  private func sum(_ slots: [Int64]) -> [Int64] {
    (0..<wordCount).map { column($0, slots).reduce(0, &+) }
  }

  private func extreme(_ slots: [Int64], _ better: (Int64, Int64) -> Int64) -> [Int64]? {
    let values = zip(column(0, slots), column(1, slots)).filter { $0.0 != 0 }.map(\.1)
    guard let first = values.first else { return nil }
    return [1, values.dropFirst().reduce(first, better)]
  }

  private func statistics(_ slots: [Int64]) -> [Int64]? {
    let counts = column(0, slots)
    let count = counts.reduce(0, &+)
    let least = zip(counts, column(2, slots)).filter { $0.0 != 0 }.map(\.1).min()
    let most = zip(counts, column(3, slots)).filter { $0.0 != 0 }.map(\.1).max()
    guard let least, let most else { return nil }
    return [count, column(1, slots).reduce(0, &+), least, most]
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
