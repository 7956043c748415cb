/// Reads little-endian integers and text out of untrusted bytes, never past their end.
///
/// ```swift
/// var cursor = ByteCursor(bytes)
/// let magic = try cursor.read(UInt16.self)
/// ```
public struct ByteCursor: Sendable {
  /// The bytes ended before the value did.
  public struct Truncated: Error, Equatable {
    public var offset: Int

    public init(offset: Int) {
      self.offset = offset
    }
  }

  public let bytes: ArraySlice<UInt8>
  /// Bytes from the start of `bytes`.
  public var offset: Int

  public init(_ bytes: ArraySlice<UInt8>, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  public init(_ bytes: [UInt8], at offset: Int = 0) {
    self.init(bytes[...], at: offset)
  }

  @inlinable
  public var remaining: Int { max(0, bytes.count - max(0, offset)) }

  // Inlinable, so that other modules get it for their kind of integer: what is generic asks for types at run time.
  @inlinable
  public mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(Truncated) -> Value {
    let size = MemoryLayout<Value>.size
    guard offset >= 0, remaining >= size else { throw Truncated(offset: offset) }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    offset += size
    return Value(littleEndian: value)
  }

  public mutating func read(count: Int) throws(Truncated) -> ArraySlice<UInt8> {
    guard offset >= 0, count >= 0, remaining >= count else { throw Truncated(offset: offset) }
    defer { offset += count }
    return bytes[bytes.startIndex + offset..<bytes.startIndex + offset + count]
  }

  /// The text from `position` up to its NUL; nil when it has no end inside the bytes.
  public func text(at position: Int) -> String? {
    guard position >= 0, position < bytes.count else { return nil }
    let rest = bytes[(bytes.startIndex + position)...]
    guard let end = rest.firstIndex(of: 0) else { return nil }
    return String(decoding: rest[..<end], as: UTF8.self)
  }
}
