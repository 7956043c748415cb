import Glibc
import Support

extension KernelMap {
  public struct Entry: Hashable, Sendable {
    public var key: [UInt8]
    /// Of all CPUs, in per-CPU maps.
    public var value: [UInt8]
  }

  /// All entries of a hash or array, read in batches where the kernel can.
  ///
  /// Programs that change the map meanwhile may hide entries from it or show them twice.
  /// - Parameter taking: deletes what it reads; not for arrays.
  public func entries(taking: Bool = false) throws(MoontraceError) -> [Entry] {
    var reader = BatchReader(map: self, taking: taking)
    if let entries = try reader.readAll() { return entries }
    return try walked(taking)
  }

  /// Key by key.
  private func walked(_ taking: Bool) throws(MoontraceError) -> [Entry] {
    var entries: [Entry] = []
    for key in try keys() {
      guard let value = try lookup(key) else { continue }
      entries.append(Entry(key: key, value: value))
      if taking { try remove(key) }
    }
    return entries
  }

  private func keys() throws(MoontraceError) -> [[UInt8]] {
    var keys: [[UInt8]] = []
    var next = [UInt8](repeating: 0, count: definition.keySize)
    while keys.count <= definition.maxEntries {
      let result = MapOperations.nextKey(descriptor, keys.last, &next)
      if result == -ENOENT { break }
      try check(result, "can't be read")
      keys.append(next)
    }
    return keys
  }
}

/// Reads a map with `BPF_MAP_LOOKUP_BATCH` and its deleting twin.
private struct BatchReader {
  private let map: KernelMap
  private let taking: Bool
  private var capacity: Int
  private var keys: [UInt8] = []
  private var values: [UInt8] = []
  /// Where the next batch begins: a key or, in hashes, a bucket's number of 4 bytes; nil at first.
  private var cursor: [UInt8]?
  private var entries: [KernelMap.Entry] = []

  init(map: KernelMap, taking: Bool) {
    self.map = map
    self.taking = taking
    capacity = min(1024, max(map.definition.maxEntries, 1))
  }

  /// nil when the kernel has no batches for this map.
  mutating func readAll() throws(MoontraceError) -> [KernelMap.Entry]? {
    while true {
      let result = read()
      switch result {
      // 524 is the kernel's own ENOTSUPP.
      case -EINVAL where cursor == nil, -524 where cursor == nil: return nil
      // One bucket of a hash holds more entries than there is room for.
      case -ENOSPC: capacity *= 2
      case -ENOENT: return entries
      default: try map.check(result, "can't be read")
      }
    }
  }

  private mutating func read() -> Int32 {
    keys = [UInt8](repeating: 0, count: capacity * map.definition.keySize)
    values = [UInt8](repeating: 0, count: capacity * map.wholeValueSize)
    var next = [UInt8](repeating: 0, count: max(map.definition.keySize, 4))
    var count = UInt32(capacity)
    let result = MapOperations.batch(map.descriptor, taking, cursor, &next, &keys, &values, &count)
    guard result == 0 || result == -ENOENT else { return result }
    append(Int(count))
    cursor = next
    return result
  }

  private mutating func append(_ count: Int) {
    let (keySize, valueSize) = (map.definition.keySize, map.wholeValueSize)
    for index in 0..<count {
      let key = keys[index * keySize..<(index + 1) * keySize]
      entries.append(.init(key: Array(key), value: Array(values[index * valueSize..<(index + 1) * valueSize])))
    }
  }
}
