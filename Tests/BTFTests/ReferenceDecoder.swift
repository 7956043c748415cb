import BTF

/// Reads a value by its layout in the plainest way, for comparison.
struct ReferenceDecoder {
  let bytes: [UInt8]

  func decode(_ layout: ValueLayout, at offset: Int) -> TestValue {
    switch layout {
    case .integer(let size, let signed): .integer(integer(at: offset, size, signed))
    case .boolean(let size): .boolean(integer(at: offset, size, false) != 0)
    case .float(let size): .float(float(at: offset, size))
    case .enumeration(let size, let signed, let names): named(integer(at: offset, size, signed), signed, names)
    case .pointer: .pointer(UInt64(integer(at: offset, 8, false)))
    case .text(let count): .text(Array(bytes[offset..<offset + count]))
    case .array(let element, let stride, let count):
      .list((0..<count).map { decode(element, at: offset + $0 * stride) })
    case .record(let record): .record(decode(record, at: offset))
    case .bytes(let size): .bytes(Array(bytes[offset..<offset + size]))
    }
  }

  private func decode(_ record: RecordLayout, at offset: Int) -> [String: TestValue] {
    var values: [String: TestValue] = [:]
    for member in record.members {
      if let bits = member.bits {
        values[member.name] = decode(member.value, bits, at: offset + member.offset)
      } else {
        values[member.name] = decode(member.value, at: offset + member.offset)
      }
    }
    return values
  }

  private func decode(_ layout: ValueLayout, _ field: MemberLayout.BitField, at offset: Int) -> TestValue {
    let unit = integer(at: offset, field.storage, false)
    let unsigned = unit >> field.offset & (Int128(1) << field.width - 1)
    func extended(_ signed: Bool) -> Int128 {
      signed && unsigned >> (field.width - 1) == 1 ? unsigned - Int128(1) << field.width : unsigned
    }
    switch layout {
    case .boolean: return .boolean(unsigned != 0)
    case .enumeration(_, let signed, let names): return named(extended(signed), signed, names)
    case .integer(_, let signed): return .integer(extended(signed))
    default: return .bytes([])
    }
  }

  private func integer(at offset: Int, _ size: Int, _ signed: Bool) -> Int128 {
    let raw = (0..<size).reduce(UInt128(0)) { $0 | UInt128(bytes[offset + $1]) << (8 * $1) }
    let shift = 128 - 8 * size
    return signed ? Int128(bitPattern: raw << shift) >> shift : Int128(bitPattern: raw)
  }

  private func float(at offset: Int, _ size: Int) -> Double {
    let bits = UInt64(integer(at: offset, size, false))
    return size == 4 ? Double(Float(bitPattern: UInt32(bits))) : Double(bitPattern: bits)
  }

  private func named(_ value: Int128, _ signed: Bool, _ names: [EnumName]) -> TestValue {
    let name = names.first { (signed ? Int128($0.value) : Int128(UInt64(bitPattern: $0.value))) == value }?.name
    return .named(name ?? "?", value)
  }
}
