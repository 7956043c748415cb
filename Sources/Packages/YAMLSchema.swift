/// The core schema of YAML 1.2 (§10.3.2): what a plain scalar is, by its spelling.
enum YAMLSchema {
  /// The value that a plain scalar means, a string if nothing else; nil for numbers that JSON does not have.
  static func value(of text: String) -> JSONValue? {
    switch text {
    case "", "~", "null", "Null", "NULL": .null
    case "true", "True", "TRUE": .boolean(true)
    case "false", "False", "FALSE": .boolean(false)
    default: isNumeric(text) ? number(text) : .string(text)
    }
  }

  /// Whether the text begins as numbers do; most texts do not.
  private static func isNumeric(_ text: String) -> Bool {
    guard let first = text.utf8.first else { return false }
    return (0x30...0x39).contains(first) || "+-.".utf8.contains(first)
  }

  private static func number(_ text: String) -> JSONValue? {
    if text.hasPrefix("0x") || text.hasPrefix("0o") {
      let digits = text.utf8.dropFirst(2)
      let radix = text.hasPrefix("0x") ? 16 : 8
      guard !digits.isEmpty, digits.allSatisfy({ digitValue($0) < radix }) else { return .string(text) }
      return UInt64(text.dropFirst(2), radix: radix).map { $0 > Int64.max ? .unsigned($0) : .integer(Int64($0)) }
    }
    let unsigned = text.utf8.first.map { "+-".utf8.contains($0) } == true ? text.dropFirst() : text[...]
    if [".inf", ".Inf", ".INF"].contains(unsigned) || [".nan", ".NaN", ".NAN"].contains(text) { return nil }
    guard let isInteger = decimalForm(Array(unsigned.utf8)) else { return .string(text) }
    return JSONValue(number: text, isInteger: isInteger)
  }

  private static func digitValue(_ digit: UInt8) -> Int {
    switch digit {
    case 0x30...0x39: Int(digit) - 0x30
    case 0x41...0x46, 0x61...0x66: Int(digit & 0xdf) - 0x37
    default: .max
    }
  }

  /// Whether digits are an integer or a number with a fraction or an exponent; nil when they are neither.
  private static func decimalForm(_ text: [UInt8]) -> Bool? {
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    let whole = text.prefix(while: isDigit)
    var rest = text[whole.endIndex...]
    if rest.isEmpty { return whole.isEmpty ? nil : true }
    if rest.first == UInt8(ascii: ".") {
      let fraction = rest.dropFirst().prefix(while: isDigit)
      if whole.isEmpty, fraction.isEmpty { return nil }
      rest = rest[fraction.endIndex...]
    } else if whole.isEmpty {
      return nil
    }
    if rest.isEmpty { return false }
    guard rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") else { return nil }
    rest = rest.dropFirst()
    if let sign = rest.first, "+-".utf8.contains(sign) { rest = rest.dropFirst() }
    return !rest.isEmpty && rest.allSatisfy(isDigit) ? false : nil
  }

  static func tag(_ kind: String) -> String { "tag:yaml.org,2002:\(kind)" }

  static func tag(of value: JSONValue) -> String {
    switch value {
    case .null: tag("null")
    case .boolean: tag("bool")
    case .integer, .unsigned: tag("int")
    case .number: tag("float")
    case .string: tag("str")
    case .array: tag("seq")
    case .object: tag("map")
    }
  }

  /// Whether a text can stand without quotes and is a string then, for readers of YAML 1.1 too.
  static func isPlainString(_ text: String) -> Bool {
    let isLetter = { (byte: UInt8) in (0x41...0x5a).contains(byte & 0xdf) || byte == 0x5f }
    let isInside = { (byte: UInt8) in isLetter(byte) || (0x30...0x39).contains(byte) || "./+=- ".utf8.contains(byte) }
    let start = text.utf8.first.map { "./".utf8.contains($0) } == true ? text.utf8.dropFirst() : text.utf8[...]
    guard let first = start.first, isLetter(first), start.allSatisfy(isInside), start.last != 0x20 else { return false }
    let isWord = text.utf8.count <= 3 && ["y", "n", "yes", "no", "on", "off"].contains(text.lowercased())
    return !isWord && value(of: text) == .string(text)
  }
}
