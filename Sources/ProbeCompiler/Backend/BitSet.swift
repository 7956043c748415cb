/// A set of small numbers, a bit each.
struct BitSet {
  private(set) var words: [UInt64]

  /// An empty set of numbers below `count`.
  init(count: Int) {
    words = Array(repeating: 0, count: (count + 63) / 64)
  }

  func contains(_ number: Int) -> Bool { words[number >> 6] & (1 << UInt64(number & 63)) != 0 }
  mutating func insert(_ number: Int) { words[number >> 6] |= 1 << UInt64(number & 63) }
  mutating func remove(_ number: Int) { words[number >> 6] &= ~(1 << UInt64(number & 63)) }

  mutating func removeAll() {
    for word in words.indices { words[word] = 0 }
  }

  /// Adds the numbers of another set's words.
  mutating func formUnion(_ others: ArraySlice<UInt64>) {
    var word = 0
    for other in others {
      words[word] |= other
      word += 1
    }
  }

  /// Whether it holds one of the numbers from `start` up to, not including, `end`.
  func containsAny(_ start: Int, _ end: Int) -> Bool {
    var number = start
    while number < end {
      let mask = Self.mask(number, end)
      if words[number >> 6] & mask != 0 { return true }
      number = (number | 63) + 1
    }
    return false
  }

  /// Adds or removes the numbers from `start` up to, not including, `end`.
  mutating func set(_ start: Int, _ end: Int, to isMember: Bool) {
    var number = start
    while number < end {
      let mask = Self.mask(number, end)
      if isMember { words[number >> 6] |= mask } else { words[number >> 6] &= ~mask }
      number = (number | 63) + 1
    }
  }

  /// The bits of the word of `number` that stand for `number` up to `end`.
  private static func mask(_ number: Int, _ end: Int) -> UInt64 {
    let low = UInt64.max << UInt64(number & 63)
    return end > (number | 63) ? low : low & ((1 << UInt64(end & 63)) - 1)
  }

  /// Calls `body` with each number, ascending.
  func forEach(_ body: (Int) -> Void) {
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        body(index << 6 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
  }
}
