import Support

/// What the word after an INT type's header says (`BTF_INT_*` in /usr/include/linux/btf.h).
struct IntegerEncoding {
  let isSigned: Bool
  let isBoolean: Bool
  /// The lowest bit of the value in its bytes, and its width: how compilers before `kind_flag` wrote bit-fields.
  let bitOffset: Int
  let bitWidth: Int
  /// Whether the value fills its bytes.
  let isWhole: Bool

  init(_ record: TypeGraph.TypeRecord) {
    let word = record.word(0)
    isSigned = word >> 24 & 1 != 0
    isBoolean = word >> 24 & 4 != 0
    bitOffset = Int(word >> 16 & 0xff)
    bitWidth = Int(word & 0xff)
    isWhole = bitOffset == 0 && bitWidth == 8 * record.size
  }
}

extension LayoutBuilder {
  /// `char` reads as text; an integer that does not fill its bytes has no reading but as a member.
  func integer(_ record: TypeGraph.TypeRecord) throws(MoontraceError) -> ValueLayout {
    let encoding = try integerEncoding(record)
    guard encoding.isWhole else { return .bytes(size: record.size) }
    if record.size == 1, !encoding.isBoolean, graph.text(at: record.nameOffset) == "char" { return .text(count: 1) }
    return number(record, encoding)
  }

  /// The integer of a bit-field's declared type: `char flags : 3` is a number.
  func number(_ record: TypeGraph.TypeRecord, _ encoding: IntegerEncoding) -> ValueLayout {
    encoding.isBoolean ? .boolean(size: record.size) : .integer(size: record.size, signed: encoding.isSigned)
  }

  func integerEncoding(_ record: TypeGraph.TypeRecord) throws(MoontraceError) -> IntegerEncoding {
    let encoding = IntegerEncoding(record)
    guard [1, 2, 4, 8, 16].contains(record.size) else {
      throw graph.failure("malformed BTF: \(graph.describe(record.id)) takes \(record.size) bytes")
    }
    guard encoding.bitWidth > 0, encoding.bitOffset + encoding.bitWidth <= 8 * record.size else {
      throw graph.failure(
        "malformed BTF: \(graph.describe(record.id)) has \(encoding.bitWidth) bits from bit \(encoding.bitOffset) on "
          + "in \(record.size) bytes")
    }
    return encoding
  }
}
