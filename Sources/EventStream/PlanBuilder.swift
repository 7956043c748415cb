import BTF
import CEventCore

/// Turns layouts into plan nodes. Layouts come from files that anyone may have written, so every number is checked
/// and none is trusted to fit.
struct PlanBuilder {
  /// Values nested deeper than this read as bytes: JSON readers give up near here too.
  static let deepestNesting = 64

  let memory: PlanMemory

  func field(_ value: ValueLayout, name: String, offset: Int, depth: Int) -> mt_field {
    var field = depth > Self.deepestNesting ? bytes(Self.byteCount(value)) : node(value, depth: depth)
    let text = memory.text(name)
    field.name = text.start
    field.name_length = text.length
    field.offset = UInt32(clamping: offset)
    return field
  }

  private func node(_ value: ValueLayout, depth: Int) -> mt_field {
    switch value {
    case .integer(let size, let signed): word(signed ? MT_SIGNED : MT_UNSIGNED, size)
    case .boolean(let size): word(MT_BOOL, size)
    case .float(let size): size == 4 || size == 8 ? word(MT_FLOAT, size) : bytes(size)
    case .enumeration(let size, let signed, let names): enumeration(size, signed, names)
    case .pointer: word(MT_POINTER, 8)
    case .text(let count): sized(MT_TEXT, count)
    case .bytes(let size): bytes(size)
    case .array(let element, let stride, let count): array(element, stride, count, depth)
    case .record(let layout): record(layout, depth)
    }
  }

  private func sized(_ kind: mt_kind, _ size: Int) -> mt_field {
    var field = mt_field()
    field.kind = kind
    field.size = UInt32(clamping: size)
    return field
  }

  private func bytes(_ size: Int) -> mt_field {
    sized(MT_BYTES, size)
  }

  private static func isWord(_ size: Int) -> Bool {
    [1, 2, 4, 8].contains(size)
  }

  private func word(_ kind: mt_kind, _ size: Int) -> mt_field {
    Self.isWord(size) ? sized(kind, size) : bytes(size)
  }

  private func enumeration(_ size: Int, _ signed: Bool, _ names: [EnumName]) -> mt_field {
    var field = word(MT_ENUM, size)
    guard field.kind == MT_ENUM else { return field }
    field.is_signed = signed
    field.names = memory.array(names.map { mt_enum_name(value: $0.value, name: memory.text($0.name).start) })
    field.name_count = UInt32(clamping: names.count)
    return field
  }

  private func array(_ element: ValueLayout, _ stride: Int, _ count: Int, _ depth: Int) -> mt_field {
    let size = Self.product(stride, count)
    let node = self.field(element, name: "", offset: 0, depth: depth + 1)
    guard node.size == UInt32(clamping: stride) else { return bytes(size) }
    var field = sized(MT_ARRAY, size)
    field.count = UInt32(clamping: count)
    field.element = memory.array([node])
    return field
  }

  private func record(_ layout: RecordLayout, _ depth: Int) -> mt_field {
    let members = layout.members.map { member($0, depth: depth + 1) }
    let plan = mt_plan(
      name: memory.text(layout.name).start, size: UInt32(clamping: layout.size),
      field_count: UInt32(clamping: members.count), fields: memory.array(members))
    var field = sized(MT_RECORD, layout.size)
    field.record = memory.array([plan])
    return field
  }

  private func member(_ member: MemberLayout, depth: Int) -> mt_field {
    let field = field(member.value, name: member.name, offset: member.offset, depth: depth)
    return member.bits.map { narrowed(field, to: $0) } ?? field
  }

  private func narrowed(_ whole: mt_field, to bits: MemberLayout.BitField) -> mt_field {
    var field = whole
    field.size = UInt32(clamping: bits.storage)
    let holdsIntegers = [MT_SIGNED, MT_UNSIGNED, MT_BOOL, MT_ENUM].contains(field.kind)
    let room = Self.isWord(bits.storage) ? bits.storage * 8 : 0
    guard holdsIntegers, bits.offset >= 0, bits.width > 0, bits.width <= room, bits.offset <= room - bits.width else {
      field.kind = MT_BYTES
      return field
    }
    field.bit_offset = UInt8(bits.offset)
    field.bit_size = UInt8(bits.width)
    return field
  }

  /// `ValueLayout.size`, which trusts its numbers, without its overflow.
  private static func byteCount(_ value: ValueLayout) -> Int {
    if case .array(_, let stride, let count) = value { return product(stride, count) }
    return value.size
  }

  private static func product(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : product
  }
}
