import Support

/// One `struct btf_member`, and how its word `offset` is to be read.
private struct RawMember {
  let nameOffset: UInt32
  let type: TypeID
  /// Bits from the start of the struct or union that declares it.
  let bitOffset: Int
  /// Bits of a bit-field; 0 for other members.
  let bitWidth: Int

  init(_ record: TypeGraph.TypeRecord, _ index: Int) {
    nameOffset = record.word(3 * index)
    type = record.word(3 * index + 1)
    let place = record.word(3 * index + 2)
    bitOffset = Int(record.flag ? place & 0xff_ffff : place)
    bitWidth = Int(record.flag ? place >> 24 : 0)
  }
}

extension LayoutBuilder {
  mutating func record(
    _ record: TypeGraph.TypeRecord, typedefName: String, depth: Int
  ) throws(MoontraceError) -> RecordLayout {
    let tag = graph.text(at: record.nameOffset)
    var layout = RecordLayout(name: tag.isEmpty ? typedefName : tag, size: record.size, members: [])
    try addMembers(of: record, at: 0, to: &layout, depth: depth)
    return layout
  }

  /// Adds the members of a struct or union that starts at bit `start` of the layout.
  private mutating func addMembers(
    of record: TypeGraph.TypeRecord, at start: Int, to layout: inout RecordLayout, depth: Int
  ) throws(MoontraceError) {
    guard depth < Self.maximumDepth else {
      throw graph.failure("malformed BTF: \(graph.describe(record.id)) contains itself")
    }
    for index in 0..<record.count {
      let member = RawMember(record, index)
      let name = try name(at: member.nameOffset, in: record)
      if name.isEmpty {
        try addAnonymous(member, of: record, at: start, to: &layout, depth: depth)
      } else {
        var place = try self.member(member, name, of: record, at: start, in: layout.size, depth: depth)
        // Only a struct's last member is flexible: the kernel marks places with others (`__u8 __cloned_offset[0]`).
        if record.kind == .struct, index < record.count - 1, place.value.isFlexible { place.value = .bytes(size: 0) }
        layout.members.append(place)
      }
    }
  }

  /// An inner struct or union without a name gives its members to the outer one; anything else without a name is
  /// padding (`int : 5`).
  private mutating func addAnonymous(
    _ member: RawMember, of record: TypeGraph.TypeRecord, at start: Int, to layout: inout RecordLayout, depth: Int
  ) throws(MoontraceError) {
    let (inner, _) = try behindTypedefs(member.type)
    guard inner.kind.isRecord else { return }
    try checkPlace(bit: member.bitOffset, width: 8 * inner.size, isBitField: false, "an inner \(inner.kind)", record)
    try addMembers(of: inner, at: start + member.bitOffset, to: &layout, depth: depth + 1)
  }

  private mutating func member(
    _ member: RawMember, _ name: String, of record: TypeGraph.TypeRecord, at start: Int, in recordSize: Int, depth: Int
  ) throws(MoontraceError) -> MemberLayout {
    if let (bit, width, value) = try bitField(member, name, of: record) {
      try checkPlace(bit: bit, width: width, isBitField: true, "member '\(name)'", record)
      return MemberLayout(name: name, value: value, bit: start + bit, width: width, recordSize: recordSize)
    }
    let value = try layout(of: member.type, depth: depth + 1)
    try checkPlace(bit: member.bitOffset, width: 8 * value.size, isBitField: false, "member '\(name)'", record)
    return MemberLayout(name: name, offset: (start + member.bitOffset) / 8, value: value)
  }

  /// Place, width and declared type of a bit-field, whichever way it is encoded; nil for other members.
  private mutating func bitField(
    _ member: RawMember, _ name: String, of record: TypeGraph.TypeRecord
  ) throws(MoontraceError) -> (bit: Int, width: Int, ValueLayout)? {
    let (type, _) = try behindTypedefs(member.type)
    switch type.kind {
    case .integer:
      let encoding = try integerEncoding(type)
      if member.bitWidth > 0 { return (member.bitOffset, member.bitWidth, number(type, encoding)) }
      // Without kind_flag, an INT type of its own says where the bits are.
      return encoding.isWhole
        ? nil : (member.bitOffset + encoding.bitOffset, encoding.bitWidth, number(type, encoding))
    case .enum, .enum64:
      return member.bitWidth == 0 ? nil : (member.bitOffset, member.bitWidth, try layout(of: type.id))
    default:
      guard member.bitWidth == 0 else {
        throw graph.failure(
          "malformed BTF: member '\(name)' of \(graph.describe(record.id)) is a bit-field of \(graph.describe(type.id))"
        )
      }
      return nil
    }
  }

  /// Refuses members that do not start on a byte or that end after their struct.
  private func checkPlace(
    bit: Int, width: Int, isBitField: Bool, _ what: String, _ record: TypeGraph.TypeRecord
  ) throws(MoontraceError) {
    guard isBitField || bit % 8 == 0 else {
      throw graph.failure("malformed BTF: \(what) of \(graph.describe(record.id)) starts at bit \(bit), within a byte")
    }
    guard bit + width <= 8 * record.size else {
      throw graph.failure("malformed BTF: \(what) of \(graph.describe(record.id)) ends after its \(record.size) bytes")
    }
  }
}

extension ValueLayout {
  fileprivate var isFlexible: Bool {
    switch self {
    case .text(count: 0), .array(_, _, count: 0): true
    default: false
    }
  }
}

extension MemberLayout {
  /// A bit-field from `bit` of its record on.
  ///
  /// Its storage unit is the smallest aligned one of 1, 2, 4 or 8 bytes that lies inside the record. A packed record
  /// may have none: then it is the smallest one inside the record at any byte, then just the bytes that hold the
  /// bits (3, 5, 6 or 7). Bits spread over nine bytes, and those of integers wider than 64 bits, read as `.bytes`.
  fileprivate init(name: String, value: ValueLayout, bit: Int, width: Int, recordSize: Int) {
    let bytes = bit / 8..<(bit + width + 7) / 8
    guard let unit = Self.storageUnit(of: bytes, recordSize: recordSize), width <= 64 else {
      self.init(name: name, offset: bytes.lowerBound, value: .bytes(size: bytes.count))
      return
    }
    let bits = BitField(offset: bit - 8 * unit.lowerBound, width: width, storage: unit.count)
    self.init(name: name, offset: unit.lowerBound, value: value, bits: bits)
  }

  private static func storageUnit(of bytes: Range<Int>, recordSize: Int) -> Range<Int>? {
    for size in [1, 2, 4, 8] {
      let start = bytes.lowerBound / size * size
      if bytes.upperBound <= start + size, start + size <= recordSize { return start..<start + size }
    }
    for size in [1, 2, 4, 8] where bytes.count <= size && size <= recordSize {
      let start = min(bytes.lowerBound, recordSize - size)
      return start..<start + size
    }
    return bytes.count <= 8 ? bytes : nil
  }
}
