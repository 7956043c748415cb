import RandomTestSupport

/// Makes up values for generated types, as C initialisers and as what must be read back.
struct ValueGenerator {
  var random: SeededGenerator

  mutating func initialiser(for record: GeneratedRecord) -> (c: String, value: TestValue) {
    var designators: [String] = []
    var values: [String: TestValue] = [:]
    initialise(record, &designators, &values)
    return ("{ \(designators.joined(separator: ", ")) }", .record(values))
  }

  /// Anonymous inner records are initialised by their members' own names. Of a union one member gets a value.
  private mutating func initialise(
    _ record: GeneratedRecord, _ designators: inout [String], _ values: inout [String: TestValue]
  ) {
    let members = record.isUnion ? Array(record.members.shuffled(using: &random).prefix(1)) : record.members
    for member in members {
      if member.name.isEmpty {
        if case .record(let inner) = member.type { initialise(inner, &designators, &values) }
      } else if !Self.isFlexible(member) {
        let (c, value) = initialiser(for: member.type, bitWidth: member.bitWidth)
        designators.append(".\(member.name) = \(c)")
        values[member.name] = value
      }
    }
  }

  private static func isFlexible(_ member: GeneratedMember) -> Bool {
    if case .array(_, count: 0) = member.type { true } else { false }
  }

  private mutating func initialiser(for type: GeneratedType, bitWidth: Int?) -> (c: String, value: TestValue) {
    switch type.plain {
    case .integer(_, let size, let signed): return integer(bits: bitWidth ?? 8 * size, signed: signed)
    case .character: return character(bitWidth: bitWidth)
    case .boolean:
      let value = Bool.random(using: &random)
      return (value ? "1" : "0", .boolean(value))
    case .floating:
      let value = Double(Int.random(in: -100_000...100_000, using: &random)) / 64
      return ("\(value)", .float(value))
    case .enumeration(let enumeration):
      let (name, value) = enumeration.names.randomElement(using: &random)!
      return (name, .named(name, Int128(value)))
    case .pointer:
      let address = UInt64.random(in: 0...UInt64.max, using: &random)
      return ("(void *)\(address)ULL", .pointer(address))
    case .array(let element, let count): return array(of: element, count)
    case .record(let record): return initialiser(for: record)
    case .alias(_, let type), .qualified(_, let type): return initialiser(for: type, bitWidth: bitWidth)
    }
  }

  private mutating func integer(bits: Int, signed: Bool) -> (c: String, value: TestValue) {
    let high = UInt64.random(in: 0...UInt64.max, using: &random)
    let low = UInt64.random(in: 0...UInt64.max, using: &random)
    let raw = UInt128(high) << 64 | UInt128(low)
    let shift = 128 - bits
    let value = signed ? Int128(truncatingIfNeeded: raw) >> shift : Int128(truncatingIfNeeded: raw >> shift)
    let pattern = UInt128(bitPattern: value)
    let halves = (UInt64(truncatingIfNeeded: pattern >> 64), UInt64(truncatingIfNeeded: pattern))
    return ("(__int128)((unsigned __int128)\(halves.0)ULL << 64 | \(halves.1)ULL)", .integer(value))
  }

  /// A `char` reads as text of one byte, but as a number when it is a bit-field; it is signed on this machine.
  private mutating func character(bitWidth: Int?) -> (c: String, value: TestValue) {
    if let bitWidth { return integer(bits: bitWidth, signed: true) }
    let byte = UInt8.random(in: 0...255, using: &random)
    return ("(char)\(byte)", .text([byte]))
  }

  private mutating func array(of element: GeneratedType, _ count: Int) -> (c: String, value: TestValue) {
    var (texts, values): ([String], [TestValue]) = ([], [])
    for _ in 0..<count {
      let (c, value) = initialiser(for: element, bitWidth: nil)
      texts.append(c)
      values.append(value)
    }
    let c = "{ \(texts.joined(separator: ", ")) }"
    guard case .character = element.plain else { return (c, .list(values)) }
    return (c, .text(values.flatMap(\.textBytes)))
  }
}
