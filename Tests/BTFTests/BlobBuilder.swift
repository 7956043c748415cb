import BTF

/// Makes BTF blobs by hand, malformed ones too; numbers of kinds are those of /usr/include/linux/btf.h.
struct BlobBuilder {
  private(set) var strings: [UInt8]
  private(set) var types: [UInt8] = []
  private var nextID: TypeID
  /// Bytes of string section that come before this blob's: its base's.
  private let precedingStrings: Int

  init() {
    strings = [0]
    nextID = 1
    precedingStrings = 0
  }

  /// A split blob that continues another one.
  init(after base: BlobBuilder) {
    strings = []
    nextID = base.nextID
    precedingStrings = base.strings.count
  }

  mutating func string(_ text: String) -> UInt32 {
    if text.isEmpty { return 0 }
    defer { strings += Array(text.utf8) + [0] }
    return UInt32(precedingStrings + strings.count)
  }

  /// A type without a name that refers to another: pointers, qualifiers.
  @discardableResult
  mutating func add(_ kind: TypeKind, _ type: TypeID, count: Int = 0, body: [UInt32] = []) -> TypeID {
    add(kind, "", count: count, type, body: body)
  }

  @discardableResult
  mutating func add(
    _ kind: TypeKind, _ name: String, count: Int = 0, flag: Bool = false, _ sizeOrType: UInt32 = 0,
    body: [UInt32] = []
  ) -> TypeID {
    let info = UInt32(kind.rawValue) << 24 | UInt32(count) | (flag ? 1 << 31 : 0)
    let nameOffset = string(name)
    for word in [nameOffset, info, sizeOrType] + body { types += littleEndian(word) }
    defer { nextID += 1 }
    return nextID
  }

  /// `encoding`: 1 signed, 2 char, 4 bool; the value's bits are `bits` from bit `offset` on.
  @discardableResult
  mutating func integer(
    _ name: String, size: UInt32, encoding: UInt32 = 0, offset: UInt32 = 0, bits: UInt32? = nil
  ) -> TypeID {
    add(.integer, name, size, body: [encoding << 24 | offset << 16 | (bits ?? 8 * size)])
  }

  @discardableResult
  mutating func array(of element: TypeID, _ count: UInt32) -> TypeID {
    add(.array, 0, body: [element, element, count])
  }

  struct Member {
    var name: String
    var type: TypeID
    var bitOffset: UInt32
    var bitWidth: UInt32 = 0
  }

  @discardableResult
  mutating func record(
    _ name: String, _ kind: TypeKind = .struct, size: UInt32, flag: Bool = false, _ members: [Member]
  ) -> TypeID {
    var body: [UInt32] = []
    for member in members { body += [string(member.name), member.type, member.bitWidth << 24 | member.bitOffset] }
    return add(kind, name, count: members.count, flag: flag, size, body: body)
  }

  func blob() -> [UInt8] {
    let words: [UInt32] = [0x1_eb9f, 24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.count)]
    return words.flatMap(littleEndian) + types + strings
  }

  func graph(base: TypeGraph? = nil) throws -> TypeGraph {
    try TypeGraph(blob: blob(), name: "test", base: base)
  }
}

func littleEndian(_ word: UInt32) -> [UInt8] {
  (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
}
