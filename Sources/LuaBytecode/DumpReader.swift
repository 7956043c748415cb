import Support

/// Reads the parts of a dump, never past its end, and says where it is wrong (lundump.c).
struct DumpReader {
  private var cursor: ByteCursor

  init(_ bytes: [UInt8]) {
    cursor = ByteCursor(bytes)
  }

  var offset: Int { cursor.offset }
  var remaining: Int { cursor.remaining }

  /// An error at `offset`, or where the reader stands.
  func failure(_ reason: String, at offset: Int? = nil) -> MoontraceError {
    MoontraceError(
      .scriptFailed, "Lua bytecode, byte \(offset ?? cursor.offset): \(reason)",
      remedy: "give it what string.dump of Lua 5.4 makes")
  }

  mutating func bytes(_ count: Int, of what: String) throws(MoontraceError) -> ArraySlice<UInt8> {
    guard let bytes = try? cursor.read(count: count) else {
      throw failure("\(what) takes \(count) bytes, \(remaining) are left")
    }
    return bytes
  }

  mutating func integer<Value: FixedWidthInteger>(
    of what: @autoclosure () -> String, _ type: Value.Type = Value.self
  ) throws(MoontraceError) -> Value {
    guard let value = try? cursor.read(Value.self) else {
      throw failure("\(what()) takes \(MemoryLayout<Value>.size) bytes, \(remaining) are left")
    }
    return value
  }

  /// A byte that is 0 or 1.
  mutating func flag(_ what: String) throws(MoontraceError) -> Bool {
    let start = offset
    let byte: UInt8 = try integer(of: what)
    guard byte <= 1 else { throw failure("\(what) is \(byte), not 0 or 1", at: start) }
    return byte == 1
  }

  /// An unsigned number in groups of seven bits, the highest first; bit 7 marks the last one.
  mutating func number(_ what: @autoclosure () -> String) throws(MoontraceError) -> Int {
    let start = offset
    let limit = Int(Int32.max)
    var value = 0
    while true {
      let byte: UInt8 = try integer(of: what())
      value = value << 7 | Int(byte & 0x7f)
      guard value <= limit else { throw failure("\(what()) is above \(limit)", at: start) }
      if byte & 0x80 != 0 { return value }
    }
  }

  /// How many elements follow, each of at least `size` bytes, so that no count makes us allocate more than was given.
  mutating func count(of what: String, size: Int) throws(MoontraceError) -> Int {
    let start = offset
    let count = try number("the number of \(what)")
    guard count <= remaining / size else {
      throw failure("\(count) \(what) do not fit into the \(remaining) bytes that are left", at: start)
    }
    return count
  }

  /// A string; nil for the one that a dump leaves out.
  mutating func string(_ what: String) throws(MoontraceError) -> ArraySlice<UInt8>? {
    let size = try number("the size of \(what)")
    return size == 0 ? nil : try bytes(size - 1, of: what)
  }

  mutating func text(_ what: String) throws(MoontraceError) -> String? {
    try string(what).map { String(decoding: $0, as: UTF8.self) }
  }
}
