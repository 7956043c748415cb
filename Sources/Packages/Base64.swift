/// Bytes as text (RFC 4648 §4): the standard alphabet, padded, in one line.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")
  private static let invalid: UInt8 = 0xff
  /// The value of each byte; `invalid` outside the alphabet.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: invalid, count: 256)
    for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
    return values
  }()

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      var group: UInt32 = 0
      for index in 0..<3 { group = group << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
      for index in 0..<4 {
        text.append(index <= count ? alphabet[Int(group >> (18 - 6 * index) & 0x3f)] : padding)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nothing but the one text that `encode` gives is taken: no blanks, no missing padding, no stray bits.
  static func decode(_ text: String) throws(MalformedBytes) -> [UInt8] {
    let characters = Array(text.utf8)
    guard characters.count % 4 == 0 else {
      throw MalformedBytes(message: "base64 has groups of 4 characters, this has \(characters.count) characters")
    }
    let paddings = characters.suffix(2).reversed().prefix { $0 == padding }.count
    let digits = characters.dropLast(paddings)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 4 * 3)
    var group: UInt32 = 0
    for (index, character) in digits.enumerated() {
      let value = values[Int(character)]
      guard value != invalid else {
        throw MalformedBytes(message: "character \(index + 1) (\(describe(character))) is none of base64")
      }
      group = group << 6 | UInt32(value)
      if index % 4 == 3 { append(group, count: 3, to: &bytes) }
    }
    guard paddings > 0 else { return bytes }
    group <<= 6 * UInt32(paddings)
    guard group & (paddings == 1 ? 0xff : 0xffff) == 0 else {
      throw MalformedBytes(message: "the last character of base64 has bits that belong to no byte")
    }
    append(group, count: 3 - paddings, to: &bytes)
    return bytes
  }

  /// Appends the first bytes of the 24 bits of a group.
  private static func append(_ group: UInt32, count: Int, to bytes: inout [UInt8]) {
    for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * index))) }
  }

  private static func describe(_ byte: UInt8) -> String {
    (0x21...0x7e).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
  }
}
