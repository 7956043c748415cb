import Support

/// The bytes of one BTF blob with its header checked and the place of every type known.
///
/// After `init` every type's header and body lie inside the type section; what they say (ids, sizes, names of
/// members) is still untrusted. Source of the format: /usr/include/linux/btf.h and the kernel's
/// Documentation/bpf/btf.rst.
struct TypeBlob: Sendable {
  static let magic: UInt16 = 0xeb9f
  static let typeHeaderSize = 12
  /// Longer names are cut: the kernel takes 511 bytes at most, C++ and Rust compilers write some more.
  static let maximumNameLength = 1024

  let bytes: [UInt8]
  /// Where the string section lies in `bytes`.
  let strings: Range<Int>
  /// Where each type's header starts in `bytes`.
  let offsets: [UInt32]

  /// `precedingStrings`: bytes of string section that the base of a split blob has; name offsets count from its start.
  init(_ bytes: [UInt8], name: String, precedingStrings: Int) throws(MoontraceError) {
    let sections = try SectionTable(bytes, name: name)
    self.bytes = bytes
    strings = sections.strings
    try Self.checkStrings(bytes, strings, name: name, isSplit: precedingStrings > 0)
    offsets = try Self.index(bytes, sections.types, nameEnd: precedingStrings + strings.count, name: name)
  }

  func word(at offset: Int) -> UInt32 {
    bytes.littleEndianWord(at: offset)
  }

  /// The string at an offset into the string section, cut at `limit` bytes; empty when there is none.
  func text(at offset: Int, limit: Int) -> String {
    guard offset >= 0, offset < strings.count else { return "" }
    let start = strings.lowerBound + offset
    let furthest = min(strings.upperBound, start + limit)
    let end = bytes[start..<furthest].firstIndex(of: 0) ?? furthest
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// Whether there is a string at an offset that is not empty.
  func hasText(at offset: Int) -> Bool {
    offset >= 0 && offset < strings.count && bytes[strings.lowerBound + offset] != 0
  }

  /// Whether the string at an offset is `needle`, without making a String of it.
  func text(at offset: Int, is needle: [UInt8]) -> Bool {
    guard offset >= 0, needle.count < strings.count - offset else { return false }
    let start = strings.lowerBound + offset
    return bytes[start + needle.count] == 0 && bytes[start..<start + needle.count].elementsEqual(needle)
  }

  private static func checkStrings(
    _ bytes: [UInt8], _ strings: Range<Int>, name: String, isSplit: Bool
  ) throws(MoontraceError) {
    if strings.isEmpty, isSplit { return }
    guard !strings.isEmpty, bytes[strings.upperBound - 1] == 0 else {
      throw MoontraceError(.scriptFailed, "\(name): malformed BTF: the last name in the string section has no end")
    }
    guard isSplit || bytes[strings.lowerBound] == 0 else {
      throw MoontraceError(
        .scriptFailed, "\(name): malformed BTF: the string section does not start with an empty name")
    }
  }

  private static func index(
    _ bytes: [UInt8], _ types: Range<Int>, nameEnd: Int, name: String
  ) throws(MoontraceError) -> [UInt32] {
    var offsets: [UInt32] = []
    offsets.reserveCapacity(types.count / 32)
    var position = types.lowerBound
    while position < types.upperBound {
      let length = try typeLength(
        bytes, position..<types.upperBound, number: offsets.count, nameEnd: nameEnd, name: name)
      offsets.append(UInt32(position))
      position += length
    }
    return offsets
  }

  /// Bytes of the type at the start of `rest`, header and body.
  private static func typeLength(
    _ bytes: [UInt8], _ rest: Range<Int>, number: Int, nameEnd: Int, name: String
  ) throws(MoontraceError) -> Int {
    func malformed(_ what: String) -> MoontraceError {
      MoontraceError(.scriptFailed, "\(name): malformed BTF: type \(number + 1) of this blob \(what)")
    }
    guard rest.count >= typeHeaderSize else { throw malformed("is cut off by the end of the type section") }
    let header = TypeHeader(bytes, at: rest.lowerBound)
    guard let kind = header.kind else { throw malformed("is of unknown kind \(header.kindNumber)") }
    guard Int(header.nameOffset) < max(nameEnd, 1) else { throw malformed("has its name outside the string section") }
    let length = typeHeaderSize + kind.bodySize(count: header.count)
    guard length <= rest.count else { throw malformed("is cut off by the end of the type section") }
    return length
  }
}

/// `struct btf_type`: the header that every type starts with.
struct TypeHeader {
  let nameOffset: UInt32
  let info: UInt32
  let sizeOrType: UInt32

  init(_ bytes: [UInt8], at offset: Int) {
    nameOffset = bytes.littleEndianWord(at: offset)
    info = bytes.littleEndianWord(at: offset + 4)
    sizeOrType = bytes.littleEndianWord(at: offset + 8)
  }

  var kindNumber: UInt8 { UInt8(info >> 24 & 0x1f) }
  /// Nil for 0 and for kinds newer than this program.
  var kind: TypeKind? { kindNumber == 0 ? nil : TypeKind(rawValue: kindNumber) }
  var count: Int { Int(info & 0xffff) }
  var flag: Bool { info >> 31 == 1 }
}

extension [UInt8] {
  func littleEndianWord(at offset: Int) -> UInt32 {
    UInt32(littleEndian: span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}
