/// Functions sorted by address, with their names packed into one array.
struct SymbolTable: Sendable {
  private struct Entry {
    let address: UInt64
    /// 0 when unknown: the function then ends where the next begins.
    let size: UInt64
    let name: Int
  }

  private var entries: [Entry] = []
  private var names: [UInt8] = []
  private var isSorted = true

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  mutating func reserve(_ count: Int) {
    entries.reserveCapacity(count)
    names.reserveCapacity(count * 20)
  }

  mutating func append(address: UInt64, size: UInt64, name: some Sequence<UInt8>) {
    if let last = entries.last, last.address > address { isSorted = false }
    entries.append(Entry(address: address, size: size, name: names.count))
    names.append(contentsOf: name)
    names.append(0)
  }

  /// Call it once after the last `append`.
  mutating func sort() {
    if !isSorted { entries.sort { $0.address < $1.address } }
    isSorted = true
  }

  /// The name of the function that an address lies in, and how far from its start.
  func find(_ address: UInt64) -> (name: String, offset: UInt64)? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    // Aliases share an address; the first one is the one that tools show.
    var index = low - 1
    while index > 0, entries[index - 1].address == entries[index].address { index -= 1 }
    let entry = entries[index]
    let offset = address - entry.address
    guard entry.size == 0 || offset < entry.size else { return nil }
    return (text(at: entry.name), offset)
  }

  private func text(at start: Int) -> String {
    String(decoding: names[start...].prefix { $0 != 0 }, as: UTF8.self)
  }
}
