import Support

/// Checks the references inside a BTF blob before libbpf 1.1 sees it, which follows them unchecked.
///
/// Source of the format: the kernel's Documentation/bpf/btf.rst.
struct TypeSanity {
  private struct TypeHeader {
    var kind: UInt32
    var count: Int
    var name: UInt32
    var reference: UInt32
  }

  private let name: String
  private var strings = 0
  /// What each type refers to, when it only renames or qualifies another; by id, 0 for all other types.
  private var renamed: [UInt32] = [0]
  private var references: [UInt32] = []

  /// Throws `.scriptFailed` when something in the blob points outside of it.
  static func check(_ blob: ArraySlice<UInt8>, name: String) throws(MoontraceError) {
    var sanity = TypeSanity(name: name)
    if (try? sanity.read(blob)) != true { throw sanity.damaged }
  }

  private init(name: String) {
    self.name = name
  }

  private var damaged: MoontraceError {
    MoontraceError(.scriptFailed, "\(name): its BTF type information is damaged", remedy: "compile it anew")
  }

  /// Whether all is well.
  private mutating func read(_ blob: ArraySlice<UInt8>) throws(ByteCursor.Truncated) -> Bool {
    var header = ByteCursor(blob)
    guard try header.read(UInt16.self) == 0xeb9f else { return false }
    header.offset = 4
    let start = Int(try header.read(UInt32.self))
    let types = (offset: Int(try header.read(UInt32.self)), length: Int(try header.read(UInt32.self)))
    let texts = (offset: Int(try header.read(UInt32.self)), length: Int(try header.read(UInt32.self)))
    strings = texts.length
    var cursor = ByteCursor(blob, at: start + types.offset)
    cursor = ByteCursor(try cursor.read(count: types.length))
    var text = ByteCursor(blob, at: start + texts.offset)
    guard try text.read(count: texts.length).last == 0 else { return false }
    while cursor.remaining > 0 {
      guard try readType(&cursor) else { return false }
    }
    return references.allSatisfy { $0 < renamed.count } && renamed.indices.allSatisfy(endsSomewhere)
  }

  private mutating func readType(_ cursor: inout ByteCursor) throws(ByteCursor.Truncated) -> Bool {
    let name = try cursor.read(UInt32.self)
    let info = try cursor.read(UInt32.self)
    let type = TypeHeader(
      kind: info >> 24 & 0x1f, count: Int(info & 0xffff), name: name, reference: try cursor.read(UInt32.self))
    guard type.name < strings, (1...19).contains(type.kind) else { return false }
    // typedef, volatile, const, restrict, type tag
    renamed.append([8, 9, 10, 11, 18].contains(type.kind) ? type.reference : 0)
    // The third word is a type for these, also for pointer, func, func_proto, var and decl_tag; a size for others.
    if [2, 8, 9, 10, 11, 12, 13, 14, 17, 18].contains(type.kind) { references.append(type.reference) }
    return try readBody(of: type, &cursor)
  }

  private mutating func readBody(
    of type: TypeHeader, _ cursor: inout ByteCursor
  ) throws(ByteCursor.Truncated) -> Bool {
    switch type.kind {
    case 1, 14, 17: _ = try cursor.read(UInt32.self)
    case 3:
      references += [try cursor.read(UInt32.self), try cursor.read(UInt32.self)]
      _ = try cursor.read(UInt32.self)
    case 4, 5: return try readEntries(type.count, &cursor, words: 3, nameAt: 0, typeAt: 1)
    case 6: return try readEntries(type.count, &cursor, words: 2, nameAt: 0, typeAt: nil)
    case 13: return try readEntries(type.count, &cursor, words: 2, nameAt: 0, typeAt: 1)
    case 15: return try readEntries(type.count, &cursor, words: 3, nameAt: nil, typeAt: 0)
    case 19: return try readEntries(type.count, &cursor, words: 3, nameAt: 0, typeAt: nil)
    default: break
    }
    return true
  }

  /// Members, names, parameters or variables: each some words, of which one may be a name and one a type.
  private mutating func readEntries(
    _ count: Int, _ cursor: inout ByteCursor, words: Int, nameAt: Int?, typeAt: Int?
  ) throws(ByteCursor.Truncated) -> Bool {
    for _ in 0..<count {
      for word in 0..<words {
        let value = try cursor.read(UInt32.self)
        if word == nameAt, value >= strings { return false }
        if word == typeAt { references.append(value) }
      }
    }
    return true
  }

  /// Whether a chain of renamings ends: libbpf would follow a ring for ever.
  private func endsSomewhere(_ id: Int) -> Bool {
    var id = id
    for _ in 0...32 {
      if renamed[id] == 0 { return true }
      id = Int(renamed[id])
    }
    return false
  }
}
