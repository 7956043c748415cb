import CEventCore
import CLuaBridge
import EventStream
import KernelLoader
import LuaRuntime
import ProbeCompiler
import Support

/// An aggregate of a script, `count()` for example: what CPUs have counted apart, put together for the user half.
final class ScriptAggregate {
  let function: ProbeSchema.AggregateType.Function
  let maximum: Int
  /// Whether it is one that only probes name: `count(comm)`.
  let isAnonymous: Bool
  private var counts: AggregateCounts?
  private var keyPlan: DecodePlan?

  init(
    _ function: ProbeSchema.AggregateType.Function, maximum: Int = AggregateShape.standardMaximum,
    isAnonymous: Bool = false
  ) {
    self.function = function
    self.maximum = maximum
    self.isAnonymous = isAnonymous
  }

  /// Whether it has a key; nil while no probe has fed it.
  var hasKey: Bool? { counts.map { $0.shape.key != nil } }

  var map: KernelMap? { counts?.map }

  /// Makes the kernel's map, unless no probe feeds the aggregate.
  ///
  /// - Parameter epoch: of its least and greatest values, where it has such.
  func create(
    _ schema: ProbeSchema.AggregateType, namer: UnsafePointer<mt_namer>, epoch: AggregateEpoch = AggregateEpoch()
  ) throws(MoontraceError) {
    guard let shape = AggregateShape(schema) else { return }
    keyPlan = DecodePlan(data: shape.key ?? .tuple([]), namer: namer)
    let map = try KernelMap(shape.definition(name: schema.name, maximum: maximum))
    counts = AggregateCounts(map: map, shape: shape, epoch: epoch)
  }

  /// Gives the kernel's map back, which nothing has fed.
  func discard() { counts = nil }

  // MARK: Rows

  /// Pushes a list of `{key, word, …}`; for histograms `{key, count, bucket, number}`, one for each bucket, where rows
  /// with the same number belong to one histogram.
  ///
  /// - Parameter top: how many keys are wanted, the largest; more come where some are as large as the last one and
  ///   their texts decide. nil for all.
  func pushRows(_ lua: OpaquePointer, top: Int? = nil) throws(MoontraceError) {
    guard let counts else { return try push([], lua, words: 1) }
    var rows = rows(try counts.read(), counts.shape)
    if let top { rows = largest(rows, count: top, counts.shape) }
    try push(rows, lua, words: words(counts.shape))
  }

  /// Pushes the rows of one key, the Lua value at `index`.
  func pushRows(_ lua: OpaquePointer, keyAt index: Int32) throws(MoontraceError) {
    guard let counts else { return try push([], lua, words: 1) }
    let key = try readKey(lua, at: index, counts.shape)
    var entries: [AggregateCounts.Entry] = []
    for full in keys(of: key, counts.shape) {
      if let entry = try counts.read(full) { entries.append(entry) }
    }
    try push(rows(entries, counts.shape), lua, words: words(counts.shape))
  }

  /// Pushes all rows and starts over behind what they hold.
  func pushDrained(_ lua: OpaquePointer) throws(MoontraceError) {
    guard let shape = counts?.shape else { return try push([], lua, words: 1) }
    try push(rows(try counts?.drain() ?? [], shape), lua, words: words(shape))
  }

  /// Starts over.
  func clear() throws(MoontraceError) { _ = try counts?.drain() }

  private typealias Row = AggregateRow

  private func rows(_ entries: [AggregateCounts.Entry], _ shape: AggregateShape) -> [Row] {
    shape.bucketCount == nil ? plainRows(entries, shape) : bucketRows(entries, shape)
  }

  private func words(_ shape: AggregateShape) -> Int { shape.bucketCount == nil ? shape.rowWordCount : 3 }

  private func plainRows(_ entries: [AggregateCounts.Entry], _ shape: AggregateShape) -> [Row] {
    entries.map { Row(key: shape.isArray ? [] : $0.key, words: $0.words) }
  }

  private func bucketRows(_ entries: [AggregateCounts.Entry], _ shape: AggregateShape) -> [Row] {
    var numbers: [[UInt8]: Int64] = [:]
    return entries.compactMap { entry in
      guard let count = entry.words.first, count > 0 else { return nil }
      let key = Array(entry.key.dropLast(shape.isArray ? 4 : 8))
      let number = numbers[key] ?? Int64(numbers.count + 1)
      numbers[key] = number
      return Row(key: key, words: [count, Self.bucket(entry.key.suffix(shape.isArray ? 4 : 8)), number])
    }
  }

  /// Little endian.
  private static func bucket(_ bytes: ArraySlice<UInt8>) -> Int64 {
    bytes.reversed().reduce(0) { $0 << 8 | Int64($1) }
  }

  // MARK: Keys

  /// How many keys it has counted for; nil while no probe feeds it.
  func keyCount() throws(MoontraceError) -> Int? {
    guard let counts else { return nil }
    let entries = try counts.read()
    guard !counts.shape.isArray else { return entries.contains { $0.words.contains { $0 != 0 } } ? 1 : 0 }
    let bucketSize = counts.shape.bucketCount == nil ? 0 : 8
    return Set(entries.map { $0.key.dropLast(bucketSize) }).count
  }

  private func readKey(_ lua: OpaquePointer, at index: Int32, _ shape: AggregateShape) throws(MoontraceError) -> [UInt8]
  {
    guard let key = shape.key, let keyPlan else { return [] }
    var bytes = [UInt8](repeating: 0, count: Int(key.size))
    let problem = bytes.withUnsafeMutableBytes { readLuaValue(lua, at: index, keyPlan.field, into: $0) }
    if let problem { throw MoontraceError(.scriptFailed, "aggregate: key: \(problem)") }
    return bytes
  }

  /// The map's keys that belong to a user's key.
  private func keys(of key: [UInt8], _ shape: AggregateShape) -> [[UInt8]] {
    guard let buckets = shape.bucketCount else { return [shape.isArray ? [0, 0, 0, 0] : key] }
    return (0..<buckets).map { bucket in
      withUnsafeBytes(of: Int64(bucket).littleEndian) { key + $0.prefix(shape.isArray ? 4 : 8) }
    }
  }

  private func push(_ rows: [Row], _ lua: OpaquePointer, words: Int) throws(MoontraceError) {
    let keySize = rows.first?.key.count ?? 0
    let (keys, numbers) = (rows.flatMap(\.key), rows.flatMap(\.words))
    let empty = mt_field()
    let pushed = withUnsafePointer(to: empty) { nothing in
      var table = mt_rows()
      table.key = keyPlan.map { $0.field } ?? nothing
      table.key_stride = UInt32(keySize)
      table.word_count = UInt32(words)
      table.count = UInt32(rows.count)
      return keys.withUnsafeBufferPointer { keys in
        numbers.withUnsafeBufferPointer { numbers in
          table.keys = keys.baseAddress
          table.words = numbers.baseAddress
          return mt_lua_push_rows(lua, &table)
        }
      }
    }
    guard pushed else { throw MoontraceError(.scriptFailed, "not enough memory for the rows of an aggregate") }
  }
}
