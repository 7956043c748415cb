/// A set of a Lua function's registers, and of what it gets from a call behind them: numbers below 512, as the operands
/// of an instruction are below 256 each.
struct RegisterSet: SetAlgebra, Sequence {
  private var words = SIMD8<UInt64>()

  init() {}

  init(_ numbers: Range<Int>) {
    for number in numbers { insert(number) }
  }

  var isEmpty: Bool { words == SIMD8() }

  func contains(_ number: Int) -> Bool { words[number >> 6] & 1 << UInt64(number & 63) != 0 }

  @discardableResult mutating func insert(_ number: Int) -> (inserted: Bool, memberAfterInsert: Int) {
    let isNew = !contains(number)
    words[number >> 6] |= 1 << UInt64(number & 63)
    return (isNew, number)
  }

  @discardableResult mutating func update(with number: Int) -> Int? {
    insert(number).inserted ? nil : number
  }

  @discardableResult mutating func remove(_ number: Int) -> Int? {
    guard contains(number) else { return nil }
    words[number >> 6] &= ~(1 << UInt64(number & 63))
    return number
  }

  mutating func formUnion(_ other: RegisterSet) { words |= other.words }
  mutating func formIntersection(_ other: RegisterSet) { words &= other.words }
  mutating func formSymmetricDifference(_ other: RegisterSet) { words ^= other.words }
  mutating func subtract(_ other: RegisterSet) { words &= ~other.words }

  func union(_ other: RegisterSet) -> RegisterSet { changed { $0.formUnion(other) } }
  func intersection(_ other: RegisterSet) -> RegisterSet { changed { $0.formIntersection(other) } }
  func symmetricDifference(_ other: RegisterSet) -> RegisterSet { changed { $0.formSymmetricDifference(other) } }

  private func changed(_ change: (inout RegisterSet) -> Void) -> RegisterSet {
    var copy = self
    change(&copy)
    return copy
  }

  /// The numbers, ascending.
  func makeIterator() -> Iterator { Iterator(words: words) }

  struct Iterator: IteratorProtocol {
    fileprivate var words: SIMD8<UInt64>
    private var index = 0

    fileprivate init(words: SIMD8<UInt64>) {
      self.words = words
    }

    mutating func next() -> Int? {
      while index < words.scalarCount {
        let word = words[index]
        if word != 0 {
          words[index] = word & (word - 1)
          return index << 6 + word.trailingZeroBitCount
        }
        index += 1
      }
      return nil
    }
  }
}
