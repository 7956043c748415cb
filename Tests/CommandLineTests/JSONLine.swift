/// A value of JSON text, read strictly (RFC 8259): what moontrace prints must parse everywhere.
enum JSON: Hashable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([JSON])
  case object([String: JSON])

  struct Malformed: Error, CustomStringConvertible {
    var description: String
  }

  /// Reads one whole text; anything before or after the value is an error, and so is a key that comes twice.
  init(_ text: String) throws {
    var reader = JSONReader(bytes: Array(text.utf8))
    self = try reader.value()
    guard reader.isAtEnd else { throw reader.malformed("more after the value") }
  }

  subscript(name: String) -> JSON? {
    if case .object(let fields) = self { fields[name] } else { nil }
  }

  var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
  var text: String? { if case .text(let text) = self { text } else { nil } }
  var list: [JSON]? { if case .list(let list) = self { list } else { nil } }
  var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}

private struct JSONReader {
  let bytes: [UInt8]
  var place = 0

  var isAtEnd: Bool { place == bytes.count }

  func malformed(_ what: String) -> JSON.Malformed {
    JSON.Malformed(description: "\(what) at byte \(place) of \(String(decoding: bytes, as: UTF8.self))")
  }

  mutating func take(_ text: String) -> Bool {
    guard bytes[place...].starts(with: text.utf8) else { return false }
    place += text.utf8.count
    return true
  }

  mutating func value() throws -> JSON {
    if take("null") { return .null }
    if take("true") { return .boolean(true) }
    if take("false") { return .boolean(false) }
    if take("\"") { return .text(try textAfterQuote()) }
    if take("[") { return .list(try list()) }
    if take("{") { return .object(try object()) }
    return try number()
  }

  private mutating func list() throws -> [JSON] {
    if take("]") { return [] }
    var values: [JSON] = []
    while true {
      values.append(try value())
      if take("]") { return values }
      guard take(",") else { throw malformed("no comma") }
    }
  }

  private mutating func object() throws -> [String: JSON] {
    if take("}") { return [:] }
    var fields: [String: JSON] = [:]
    while true {
      guard take("\"") else { throw malformed("no key") }
      let key = try textAfterQuote()
      guard take(":") else { throw malformed("no colon") }
      guard fields.updateValue(try value(), forKey: key) == nil else { throw malformed("a second '\(key)'") }
      if take("}") { return fields }
      guard take(",") else { throw malformed("no comma") }
    }
  }

  private mutating func number() throws -> JSON {
    let end = bytes[place...].firstIndex { !"+-.0123456789eE".utf8.contains($0) } ?? bytes.count
    let text = String(decoding: bytes[place..<end], as: UTF8.self)
    guard text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/) != nil else {
      throw malformed("no value")
    }
    place = end
    if let integer = Int64(text) { return .integer(integer) }
    guard let number = Double(text) else { throw malformed("no number") }
    return .number(number)
  }

  private mutating func textAfterQuote() throws -> String {
    var text: [UInt8] = []
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let valid = String(validating: text, as: UTF8.self) else { throw malformed("text that is no UTF-8") }
        return valid
      case UInt8(ascii: "\\"): text += try escaped()
      case ..<0x20: throw malformed("a bare control character")
      default: text.append(byte)
      }
    }
    throw malformed("text without an end")
  }

  private static let escapes: [(Character, Character)] = [
    ("\"", "\""), ("\\", "\\"), ("/", "/"), ("b", "\u{8}"), ("f", "\u{c}"), ("n", "\n"), ("r", "\r"), ("t", "\t"),
  ]

  private mutating func escaped() throws -> [UInt8] {
    for (name, meaning) in Self.escapes where take(String(name)) { return Array(String(meaning).utf8) }
    guard take("u"), place + 4 <= bytes.count,
      let code = UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16),
      let scalar = Unicode.Scalar(code)
    else { throw malformed("a bad escape") }
    place += 4
    return Array(String(Character(scalar)).utf8)
  }
}
