/// How the bytes of one value read: what BTF says, resolved through typedefs and qualifiers.
///
/// Layouts are values without ties to the blob they came from. Offsets are in bytes from the start of the
/// enclosing record.
public indirect enum ValueLayout: Equatable, Sendable {
  /// An integer of 1, 2, 4, 8 or 16 bytes.
  case integer(size: Int, signed: Bool)
  case boolean(size: Int)
  /// IEEE 754, 4 or 8 bytes (longer ones read as `.bytes`).
  case float(size: Int)
  /// An enum or enum64 with its names in declaration order; unsigned 64-bit values keep their bits.
  case enumeration(size: Int, signed: Bool, names: [EnumName])
  case pointer
  /// `char[count]`: text up to the first NUL, or all of it; a lone `char` is one of 1. `count` 0 is a flexible array.
  case text(count: Int)
  /// `count` elements of `stride` bytes, more than 0; `count` 0 is a flexible array.
  case array(element: ValueLayout, stride: Int, count: Int)
  case record(RecordLayout)
  /// Opaque bytes, for what has no better reading: floats of other sizes, integers that do not fill their bytes,
  /// bit-fields over nine bytes. Size 0 is a place that is marked by an empty array before other members, or an array
  /// of empty structs.
  case bytes(size: Int)

  /// Size in bytes; flexible arrays count 0.
  public var size: Int {
    switch self {
    case .integer(let size, _), .boolean(let size), .float(let size), .enumeration(let size, _, _), .bytes(let size):
      size
    case .pointer: 8
    case .text(let count): count
    case .array(_, let stride, let count): stride * count
    case .record(let record): record.size
    }
  }
}

public struct EnumName: Equatable, Sendable {
  public var name: String
  public var value: Int64

  public init(name: String, value: Int64) {
    self.name = name
    self.value = value
  }
}

/// A struct or union: its members with anonymous inner structs and unions flattened into it, as C names them.
public struct RecordLayout: Equatable, Sendable {
  /// The C tag, or the typedef's name when there is no tag.
  public var name: String
  public var size: Int
  public var members: [MemberLayout]

  public init(name: String, size: Int, members: [MemberLayout]) {
    self.name = name
    self.size = size
    self.members = members
  }
}

public struct MemberLayout: Equatable, Sendable {
  public var name: String
  /// Bytes from the start of the record; for a bit-field, of the smallest naturally aligned storage unit
  /// (1, 2, 4 or 8 bytes) inside the record that holds all of its bits. Packed records may have none: then of an
  /// unaligned one, and where none lies inside the record, of just the bytes that hold the bits (3, 5, 6 or 7).
  public var offset: Int
  public var value: ValueLayout
  /// Set for bit-fields: the place of its lowest bit in the storage unit, and its width.
  public var bits: BitField?

  public struct BitField: Equatable, Sendable {
    public var offset: Int
    public var width: Int
    /// Bytes of the storage unit at `MemberLayout.offset`.
    public var storage: Int

    public init(offset: Int, width: Int, storage: Int) {
      self.offset = offset
      self.width = width
      self.storage = storage
    }
  }

  public init(name: String, offset: Int, value: ValueLayout, bits: BitField? = nil) {
    self.name = name
    self.offset = offset
    self.value = value
    self.bits = bits
  }
}
