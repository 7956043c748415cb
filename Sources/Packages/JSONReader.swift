import Support

/// Reads JSON text (RFC 8259); `JSONValue.init(json:name:)` is its door.
struct JSONReader {
  private let bytes: [UInt8]
  private let name: String
  private var offset = 0
  private var budget = TextLimits.values

  static func read(_ bytes: [UInt8], name: String) throws(MoontraceError) -> JSONValue {
    try TextLimits.check(bytes, name: name)
    var reader = JSONReader(bytes: bytes, name: name)
    return try reader.readWhole()
  }

  private init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  private mutating func readWhole() throws(MoontraceError) -> JSONValue {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { offset = 3 }  // a byte order mark, which some editors write
    let value = try readValue(depth: 0)
    skipBlanks()
    guard offset == bytes.count else { throw failure("the end of the text is expected, \(found)") }
    return value
  }

  private mutating func readValue(depth: Int) throws(MoontraceError) -> JSONValue {
    skipBlanks()
    budget -= 1
    guard budget >= 0 else { throw failure("more than \(TextLimits.values) values") }
    guard let byte = next else { throw failure("a value is expected, \(found)") }
    switch byte {
    case UInt8(ascii: "{"): return .object(try readMembers(depth: try inner(depth)))
    case UInt8(ascii: "["): return .array(try readElements(depth: try inner(depth)))
    case UInt8(ascii: "\""): return .string(try readString())
    case UInt8(ascii: "-"), 0x30...0x39: return try readNumber()
    case UInt8(ascii: "t"): return try readWord("true", .boolean(true))
    case UInt8(ascii: "f"): return try readWord("false", .boolean(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    default: throw failure("a value is expected, \(found)")
    }
  }

  private func inner(_ depth: Int) throws(MoontraceError) -> Int {
    guard depth < TextLimits.depth else { throw failure("nested deeper than \(TextLimits.depth) levels") }
    return depth + 1
  }

  private mutating func readMembers(depth: Int) throws(MoontraceError) -> [JSONMember] {
    offset += 1
    var members: [JSONMember] = []
    var names: Set<String> = []
    if take("}") { return members }
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw failure("a member's name in quotes is expected, \(found)") }
      let start = offset
      let name = try readString()
      guard names.insert(name).inserted else { throw failure("a second member '\(name)' in one object", at: start) }
      guard take(":") else { throw failure("':' is expected after '\(name)', \(found)") }
      members.append(JSONMember(name, try readValue(depth: depth)))
    } while take(",")
    guard take("}") else { throw failure("',' or '}' is expected, \(found)") }
    return members
  }

  private mutating func readElements(depth: Int) throws(MoontraceError) -> [JSONValue] {
    offset += 1
    var elements: [JSONValue] = []
    if take("]") { return elements }
    repeat { elements.append(try readValue(depth: depth)) } while take(",")
    guard take("]") else { throw failure("',' or ']' is expected, \(found)") }
    return elements
  }

  private mutating func readWord(_ word: StaticString, _ value: JSONValue) throws(MoontraceError) -> JSONValue {
    let end = offset + word.utf8CodeUnitCount
    let matches = word.withUTF8Buffer { end <= bytes.count && bytes[offset..<end].elementsEqual($0) }
    guard matches else { throw failure("'\(word)' is expected") }
    offset = end
    return value
  }

  private mutating func readNumber() throws(MoontraceError) -> JSONValue {
    let start = offset
    if next == UInt8(ascii: "-") { offset += 1 }
    if next == UInt8(ascii: "0") { offset += 1 } else { try skipDigits() }
    var isInteger = true
    if next == UInt8(ascii: ".") {
      isInteger = false
      offset += 1
      try skipDigits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isInteger = false
      offset += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
      try skipDigits()
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard let value = JSONValue(number: text, isInteger: isInteger) else {
      throw failure("a number too large for 64 bits", at: start)
    }
    return value
  }

  private mutating func skipDigits() throws(MoontraceError) {
    let start = offset
    while let byte = next, (0x30...0x39).contains(byte) { offset += 1 }
    if offset == start { throw failure("a digit is expected, \(found)") }
  }

  private mutating func readString() throws(MoontraceError) -> String {
    let start = offset
    offset += 1
    let first = offset
    skipPlain()
    if next == UInt8(ascii: "\"") {
      defer { offset += 1 }
      return try text(bytes[first..<offset], at: start)
    }
    var units = Array(bytes[first..<offset])
    while next == UInt8(ascii: "\\") {
      try readEscape(into: &units)
      let plain = offset
      skipPlain()
      units += bytes[plain..<offset]
    }
    guard let end = next else { throw failure("a string that begins here has no end", at: start) }
    guard end == UInt8(ascii: "\"") else { throw failure("a control character in a string; write it as \\u00XX") }
    offset += 1
    return try text(units[...], at: start)
  }

  /// Passes what stands for itself in a string.
  private mutating func skipPlain() {
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
      offset += 1
    }
  }

  private func text(_ units: ArraySlice<UInt8>, at start: Int) throws(MoontraceError) -> String {
    guard let text = String(validating: units, as: UTF8.self) else {
      throw failure("a string that is not UTF-8", at: start)
    }
    return text
  }

  private mutating func readEscape(into units: inout [UInt8]) throws(MoontraceError) {
    let start = offset
    offset += 1
    guard let letter = next else { throw failure("a string ends in its escape", at: start) }
    offset += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(letter)
    case UInt8(ascii: "b"): units.append(0x08)
    case UInt8(ascii: "f"): units.append(0x0c)
    case UInt8(ascii: "n"): units.append(0x0a)
    case UInt8(ascii: "r"): units.append(0x0d)
    case UInt8(ascii: "t"): units.append(0x09)
    case UInt8(ascii: "u"): units += try readScalar(escapedAt: start)
    default: throw failure("no such escape; there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX", at: start)
    }
  }

  /// The character of `\uXXXX`, or of a pair of them, behind the `u`.
  private mutating func readScalar(escapedAt start: Int) throws(MoontraceError) -> [UInt8] {
    let high = try readHex(escapedAt: start)
    if let scalar = Unicode.Scalar(high) { return Array(String(scalar).utf8) }
    guard high < 0xdc00, bytes[offset...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
      throw failure("half of a surrogate pair", at: start)
    }
    offset += 2
    let low = try readHex(escapedAt: start)
    guard (0xdc00...0xdfff).contains(low), let scalar = Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + low - 0xdc00)
    else { throw failure("half of a surrogate pair", at: start) }
    return Array(String(scalar).utf8)
  }

  private mutating func readHex(escapedAt start: Int) throws(MoontraceError) -> UInt32 {
    let digits = bytes[offset...].prefix(4)
    let areDigits = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    guard digits.count == 4, areDigits, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
      throw failure("\\u takes four hexadecimal digits", at: start)
    }
    offset += 4
    return value
  }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
  }

  /// Passes a character, blanks before it included, if it stands here.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  /// What stands here instead of what was expected.
  private var found: String {
    guard let byte = next else { return "the text ends" }
    guard (0x21...0x7e).contains(byte) else { return "byte 0x\(String(byte, radix: 16)) stands here" }
    return "'\(Character(Unicode.Scalar(byte)))' stands here"
  }

  private func failure(_ message: String, at position: Int? = nil) -> MoontraceError {
    let before = bytes[..<(position ?? offset)]
    let line = before.reduce(1) { $0 + ($1 == 0x0a ? 1 : 0) }
    let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    // Continuation bytes of UTF-8 are no columns.
    let column = before[lineStart...].reduce(1) { $0 + ($1 & 0xc0 == 0x80 ? 0 : 1) }
    return MoontraceError(.scriptFailed, "JSON: \(message)", location: "\(name):\(line):\(column)")
  }
}
