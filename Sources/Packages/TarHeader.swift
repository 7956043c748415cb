import Support

/// One block before an entry's contents: what it is, how it is called, how long it is.
struct TarHeader {
  var type: UInt8
  /// As it stands there, perhaps not UTF-8.
  var path: [UInt8]
  var size: Int

  /// Reads a block. Throws without the name of its place when it is no header, or a damaged one.
  init(_ block: ArraySlice<UInt8>) throws(MalformedBytes) {
    let bytes = Array(block)
    guard bytes[TarLayout.magic].starts(with: "ustar".utf8) else {
      throw MalformedBytes(message: "no header of an entry where one should stand")
    }
    guard Self.number(bytes[TarLayout.checksum]) == TarLayout.checksum(of: block) else {
      throw MalformedBytes(message: "a header with a wrong checksum")
    }
    type = bytes[TarLayout.type]
    path = Self.text(bytes[TarLayout.path])
    // GNU tar, whose magic has no NUL, keeps other things where POSIX has the prefix.
    let prefix = bytes[TarLayout.magic].last == 0 ? Self.text(bytes[TarLayout.prefix]) : []
    if !prefix.isEmpty { path = prefix + [UInt8(ascii: "/")] + path }
    guard let size = Self.number(bytes[TarLayout.size]) else {
      throw MalformedBytes(message: "a size that is no octal number, or above 8 GiB")
    }
    self.size = size
  }

  private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

  /// Octal digits between blanks or NULs; nil for anything else, as for the binary numbers that GNU tar has.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0 }
    let digits = field.drop(while: isBlank).prefix { !isBlank($0) }
    guard field[digits.endIndex...].allSatisfy(isBlank) else { return nil }
    if digits.isEmpty { return 0 }
    return digits.allSatisfy { (0x30...0x37).contains($0) }
      ? Int(String(decoding: digits, as: UTF8.self), radix: 8) : nil
  }

  /// What it is when it is no file, in a message.
  var typeName: String {
    switch type {
    case UInt8(ascii: "1"): "a hard link"
    case UInt8(ascii: "2"): "a symbolic link"
    case UInt8(ascii: "3"), UInt8(ascii: "4"): "a device"
    case UInt8(ascii: "6"): "a named pipe"
    case UInt8(ascii: "S"): "a sparse file"
    default: "an entry of type 0x\(String(type, radix: 16))"
    }
  }
}
