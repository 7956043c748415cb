import Packages
import RandomTestSupport

/// Makes bad input of good: bytes changed, cut, doubled, put together from two files; values of JSON exchanged.
struct Mutator {
  var random: SeededGenerator
  /// Files of one kind, and words that mean something in them.
  let seeds: [[UInt8]]
  let words: [[UInt8]]

  /// Integers at which sizes, counts and offsets go wrong.
  private static let edges: [UInt32] = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, .max]
  /// No case grows beyond this, so that a million of them take minutes.
  private static let maximumSize = 16 << 10

  init(seed: UInt64, seeds: [[UInt8]], words: [String] = []) {
    random = SeededGenerator(seed: seed)
    self.seeds = seeds
    self.words = words.map { Array($0.utf8) }
  }

  /// One of the seeds, with up to four changes.
  mutating func next() -> [UInt8] {
    var bytes = seeds[below(seeds.count)]
    for _ in 0..<1 + below(4) { change(&bytes) }
    return Array(bytes.prefix(Self.maximumSize))
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &random) }

  mutating func range(in bytes: [UInt8]) -> Range<Int> {
    let start = below(bytes.count + 1)
    return start..<start + below(min(64, bytes.count - start) + 1)
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return bytes = seeds[below(seeds.count)] }
    let place = below(bytes.count)
    switch below(words.isEmpty ? 8 : 10) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.removeSubrange(range(in: bytes))
    case 3: bytes.insert(contentsOf: bytes[range(in: bytes)], at: place)
    case 4: bytes.removeSubrange(place...)
    case 5: splice(&bytes)
    case 6, 7: setEdge(&bytes, at: place)
    case 8: bytes.insert(contentsOf: words[below(words.count)], at: place)
    default: bytes.replaceSubrange(range(in: bytes), with: words[below(words.count)])
    }
  }

  /// The beginning of one file and the end of another.
  private mutating func splice(_ bytes: inout [UInt8]) {
    let other = seeds[below(seeds.count)]
    bytes.replaceSubrange(below(bytes.count)..., with: other[below(other.count)...])
  }

  /// A word of 32 bits where such words stand in binary formats.
  private mutating func setEdge(_ bytes: inout [UInt8], at place: Int) {
    let start = place / 4 * 4
    guard start + 4 <= bytes.count else { return }
    let value = Self.edges[below(Self.edges.count)]
    for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
  }
}

extension Mutator {
  private static let values: [JSONValue] = [
    .null, .boolean(true), .integer(-1), .integer(0), .integer(1), .integer(.max), .unsigned(.max), .number(0.5),
    .string(""), .string("x"), .string("default"), .array([]), .object([]), .array([.integer(1)]),
  ]

  /// The value with one of its parts exchanged, doubled or gone.
  mutating func exchange(in value: JSONValue) -> JSONValue {
    switch value {
    case .object(var members) where !members.isEmpty && below(8) > 0:
      let index = below(members.count)
      switch below(6) {
      case 0: members.remove(at: index)
      case 1: members[index].name = below(2) == 0 ? "other" : members[below(members.count)].name
      default: members[index].value = exchange(in: members[index].value)
      }
      return .object(members)
    case .array(var elements) where !elements.isEmpty && below(8) > 0:
      let index = below(elements.count)
      switch below(6) {
      case 0: elements.remove(at: index)
      case 1: elements.append(elements[index])
      default: elements[index] = exchange(in: elements[index])
      }
      return .array(elements)
    default: return Self.values[below(Self.values.count)]
    }
  }
}
