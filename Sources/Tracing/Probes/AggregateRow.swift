import ProbeCompiler

/// A row of an aggregate on its way to Lua.
struct AggregateRow {
  /// The user's key, as it lies in the kernel.
  var key: [UInt8]
  /// As `AggregateShape.row` gives them; of histograms count, bucket and the number of the histogram.
  var words: [Int64]
}

/// The rows of the `count` largest keys, so that only what is shown gets named: naming a stack takes far longer than
/// comparing two numbers. Where keys are as large as the last one their texts decide in Lua, so they are all here,
/// except where making those texts means naming.
func largest(_ rows: [AggregateRow], count: Int, _ shape: AggregateShape) -> [AggregateRow] {
  var sizes: [[UInt8]: Double] = [:]
  for row in rows { sizes[row.key, default: 0] += shape.magnitude(row.words) }
  guard sizes.count > count, count > 0 else { return rows }
  let order = sizes.sorted {
    $0.value != $1.value ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
  }
  let least = order[count - 1].value
  let isCut = shape.key?.isNamed ?? false
  let kept = Set(
    order.enumerated().filter { $0.offset < count || !isCut && $0.element.value == least }.map(\.element.key))
  return rows.filter { kept.contains($0.key) }
}

extension AggregateShape {
  /// What rows are sorted by.
  fileprivate func magnitude(_ words: [Int64]) -> Double {
    switch function {
    case .count, .sum, .statistics, .histogram, .linear: Double(words[0])
    case .average: words[0] == 0 ? -.infinity : Double(words[1]) / Double(words[0])
    case .minimum, .maximum: Double(words[1])
    }
  }
}

extension DataType {
  /// Whether user space makes something else of it or of a part of it, such as a stack.
  var isNamed: Bool {
    switch self {
    case .integer, .boolean, .string, .bytes, .address: false
    case .named, .enumeration: true
    case .optional(let type): type.isNamed
    case .tuple(let items): items.contains(where: \.isNamed)
    case .record(let fields): fields.contains { $0.type.isNamed }
    }
  }
}
