import RandomTestSupport

/// Makes up C structs that use everything BTF can say, each in ways that compilers lay out differently.
struct StructGenerator {
  var random: SeededGenerator
  /// C declarations that must stand before the structs' users.
  private(set) var declarations: [String] = []
  private var reusable: [GeneratedRecord] = []
  private var counter = 0

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
  }

  /// A struct with a tag, declared in `declarations`.
  mutating func nextStruct() -> GeneratedRecord {
    var record = record(tag: unique("S"), isUnion: false, depth: 0)
    if random.chance(15) {
      let element = leaf()
      record.members.append(GeneratedMember(name: unique("flexible"), type: .array(element, count: 0)))
    } else if record.leafCount <= 30 {
      // Structs of structs of structs would double with each one that is built of others.
      reusable.append(record)
    }
    declarations.append("\(record.body);")
    return record
  }

  private mutating func unique(_ prefix: String) -> String {
    counter += 1
    return "\(prefix)\(counter)"
  }

  private mutating func record(tag: String, isUnion: Bool, depth: Int) -> GeneratedRecord {
    let isPacked = random.chance(20)
    var attribute = isPacked ? " __attribute__((packed))" : ""
    if random.chance(10) { attribute += " __attribute__((aligned(\(1 << Int.random(in: 1...5, using: &random)))))" }
    let members = (0..<Int.random(in: 1...8, using: &random)).map { _ in
      member(depth: depth, isPacked: isPacked)
    }
    return GeneratedRecord(tag: tag, isUnion: isUnion, attribute: attribute, members: members)
  }

  private mutating func member(depth: Int, isPacked: Bool) -> GeneratedMember {
    if random.chance(30) { return bitField(isPacked: isPacked) }
    if depth < 3, random.chance(15) {
      let inner = record(tag: "", isUnion: random.chance(50), depth: depth + 1)
      return GeneratedMember(name: random.chance(60) ? "" : unique("f"), type: .record(inner))
    }
    var member = GeneratedMember(name: unique("f"), type: memberType())
    if random.chance(5) { member.attribute = " __attribute__((aligned(8)))" }
    return member
  }

  private mutating func memberType() -> GeneratedType {
    var type = leaf()
    if random.chance(12), let record = reusable.suffix(6).randomElement(using: &random) { type = .record(record) }
    if random.chance(30) {
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        type = .array(type, count: Int.random(in: 1...4, using: &random))
      }
    }
    if random.chance(15) { type = alias(type) }
    if random.chance(15) {
      type = .qualified(["const", "volatile", "const volatile"].randomElement(using: &random)!, type)
    }
    return type
  }

  private mutating func alias(_ type: GeneratedType) -> GeneratedType {
    let name = unique("t")
    declarations.append("typedef \(type.declare(name));")
    return .alias(name, type)
  }

  private static let integers: [(c: String, size: Int, signed: Bool)] = [
    ("signed char", 1, true), ("unsigned char", 1, false), ("short", 2, true), ("unsigned short", 2, false),
    ("int", 4, true), ("unsigned int", 4, false), ("long", 8, true), ("unsigned long", 8, false),
    ("long long", 8, true), ("unsigned long long", 8, false), ("__int128", 16, true), ("unsigned __int128", 16, false),
  ]

  private static let pointers: [(before: String, after: String)] = [
    ("void *", ""), ("const char *", ""), ("int **", ""), ("struct nowhere *", ""), ("int (*", ")(char *, long)"),
    ("int (*", ")[4]"),
  ]

  private mutating func leaf() -> GeneratedType {
    switch Int.random(in: 0..<14, using: &random) {
    case 0: return .boolean
    case 1, 2: return .character
    case 3: return .array(.character, count: Int.random(in: 1...20, using: &random))
    case 4: return .floating(c: "float", size: 4)
    case 5: return .floating(c: "double", size: 8)
    case 6: return .pointer(before: Self.pointers[0].before, after: "")
    case 7:
      let pointer = Self.pointers.randomElement(using: &random)!
      return .pointer(before: pointer.before, after: pointer.after)
    case 8, 9: return .enumeration(enumeration())
    default:
      let integer = Self.integers.randomElement(using: &random)!
      return .integer(c: integer.c, size: integer.size, signed: integer.signed)
    }
  }

  private mutating func enumeration() -> GeneratedEnum {
    let tag = unique("E")
    let bits = [3, 7, 12, 20, 31, 40, 62].randomElement(using: &random)!
    let lowest: Int64 = random.chance(50) ? -(1 << bits) : 0
    let values = Set((0..<4).map { _ in Int64.random(in: lowest..<1 << bits, using: &random) })
    let names = values.sorted().map { (name: unique("N"), value: $0) }
    let enumeration = GeneratedEnum(tag: tag, names: names, isPacked: random.chance(20))
    declarations.append(enumeration.declaration)
    return enumeration
  }

  private mutating func bitField(isPacked: Bool) -> GeneratedMember {
    let (type, narrowest, widest) = bitFieldType()
    if random.chance(10) {
      let width = isPacked ? 3 : Int.random(in: 0...7, using: &random)
      return GeneratedMember(name: "", type: .integer(c: "int", size: 4, signed: true), bitWidth: width)
    }
    // Packed bit-fields of 58 bits and more may lie in nine bytes, which no layout reads as a number.
    let limit = max(narrowest, isPacked ? min(widest, 57) : widest)
    let width = Int.random(in: narrowest...limit, using: &random)
    let name = unique("b")
    return GeneratedMember(name: name, type: random.chance(20) ? alias(type) : type, bitWidth: width)
  }

  private mutating func bitFieldType() -> (GeneratedType, narrowest: Int, widest: Int) {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return (.boolean, 1, 1)
    case 1: return (.character, 1, 8)
    case 2, 3:
      let enumeration = enumeration()
      if enumeration.neededBits > 57 { return (.boolean, 1, 1) }
      return (.enumeration(enumeration), max(1, enumeration.neededBits), 8 * enumeration.size)
    default:
      let integer = Self.integers.filter { $0.size <= 8 }.randomElement(using: &random)!
      return (.integer(c: integer.c, size: integer.size, signed: integer.signed), 1, 8 * integer.size)
    }
  }
}
