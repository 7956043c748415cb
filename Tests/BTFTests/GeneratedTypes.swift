/// A C type that the struct generator made up, with everything needed to declare and initialise it.
indirect enum GeneratedType {
  case integer(c: String, size: Int, signed: Bool)
  case character
  case boolean
  case floating(c: String, size: Int)
  case enumeration(GeneratedEnum)
  /// C text around the declarator: `int (*` and `)(char *)`.
  case pointer(before: String, after: String)
  case array(GeneratedType, count: Int)
  case record(GeneratedRecord)
  /// The same type by a typedef's name.
  case alias(String, GeneratedType)
  case qualified(String, GeneratedType)

  /// The type without typedefs and qualifiers.
  var plain: GeneratedType {
    switch self {
    case .alias(_, let type), .qualified(_, let type): type.plain
    default: self
    }
  }

  /// Values that something of this type holds.
  var leafCount: Int {
    switch self {
    case .array(let element, let count): element.leafCount * count
    case .record(let record): record.leafCount
    case .alias(_, let type), .qualified(_, let type): type.leafCount
    default: 1
    }
  }

  /// The C declaration of something of this type.
  func declare(_ declarator: String) -> String {
    switch self {
    case .integer(let c, _, _), .floating(let c, _), .alias(let c, _): "\(c) \(declarator)"
    case .character: "char \(declarator)"
    case .boolean: "_Bool \(declarator)"
    case .enumeration(let names): "enum \(names.tag) \(declarator)"
    case .pointer(let before, let after): "\(before)\(declarator)\(after)"
    case .array(let element, let count): element.declare("\(declarator)[\(count == 0 ? "" : "\(count)")]")
    case .record(let record): "\(record.tag.isEmpty ? record.body : record.spelling) \(declarator)"
    case .qualified(let qualifier, let type): "\(qualifier) \(type.declare(declarator))"
    }
  }
}

struct GeneratedEnum {
  var tag: String
  var names: [(name: String, value: Int64)]
  var isPacked: Bool

  var declaration: String {
    let list = names.map { "\($0.name) = \($0.value)LL" }.joined(separator: ", ")
    return "enum \(isPacked ? "__attribute__((packed)) " : "")\(tag) { \(list) };"
  }

  var isSigned: Bool { names.contains { $0.value < 0 } }

  /// Bits that hold all of its values.
  var neededBits: Int {
    names.map { 64 - ($0.value < 0 ? ~$0.value : $0.value).leadingZeroBitCount + (isSigned ? 1 : 0) }.max() ?? 1
  }

  /// How clang chooses: `int`, or the smallest that fits when packed.
  var size: Int {
    if !isPacked { return neededBits > 32 ? 8 : 4 }
    return [1, 2, 4, 8].first { 8 * $0 >= neededBits } ?? 8
  }
}

struct GeneratedMember {
  /// Empty for anonymous structs and unions, and for padding.
  var name: String
  var type: GeneratedType
  var bitWidth: Int?
  var attribute = ""

  var declaration: String {
    "\(type.declare(name))\(bitWidth.map { " : \($0)" } ?? "")\(attribute);"
  }
}

struct GeneratedRecord {
  var tag: String
  var isUnion: Bool
  var attribute: String
  var members: [GeneratedMember]

  var leafCount: Int { members.reduce(0) { $0 + $1.type.leafCount } }
  var spelling: String { "\(isUnion ? "union" : "struct") \(tag)" }
  var body: String {
    "\(spelling) { \(members.map(\.declaration).joined(separator: " ")) }\(attribute)"
  }
}

/// The value of an initialised variable, as the generator knows it and as a layout reads it.
indirect enum TestValue: Equatable {
  case integer(Int128)
  case boolean(Bool)
  case float(Double)
  case named(String, Int128)
  case pointer(UInt64)
  case text([UInt8])
  case list([TestValue])
  case record([String: TestValue])
  case bytes([UInt8])

  var textBytes: [UInt8] {
    if case .text(let bytes) = self { bytes } else { [] }
  }

  /// Whether `other` says the same; members that only `other` has (of unions) may be anything.
  func agrees(with other: TestValue) -> Bool {
    switch (self, other) {
    case (.record(let mine), .record(let theirs)):
      mine.allSatisfy { name, value in theirs[name].map(value.agrees) ?? false }
    case (.list(let mine), .list(let theirs)):
      mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.agrees(with: $1) }
    case (.list, .bytes([])): isEmpty  // an array of structs without members has no bytes to read
    default: self == other
    }
  }

  /// Whether nothing is in it but structs without members, or with such members only.
  private var isEmpty: Bool {
    switch self {
    case .record(let members): members.values.allSatisfy(\.isEmpty)
    case .list(let elements): elements.allSatisfy(\.isEmpty)
    default: false
    }
  }
}
