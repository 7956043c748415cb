import BTF
import Support

/// Values of global variables as users type them: what a text stands for in bytes, and the text of bytes.
struct GlobalText {
  let layout: ValueLayout

  /// What the command line may set; nil for what has no text, such as structs and pointers.
  init?(_ layout: ValueLayout) {
    guard Self.hasText(layout) else { return nil }
    self.layout = layout
  }

  private static func hasText(_ layout: ValueLayout) -> Bool {
    switch layout {
    case .integer(let size, _), .enumeration(let size, _, _), .boolean(let size): [1, 2, 4, 8].contains(size)
    case .float(let size): size == 4 || size == 8
    case .text(let count): count > 0
    case .array(let element, _, let count): count > 0 && !isArray(element) && hasText(element)
    case .pointer, .record, .bytes: false
    }
  }

  private static func isArray(_ layout: ValueLayout) -> Bool {
    if case .array = layout { true } else { false }
  }

  /// What stands for the value in a help text.
  var placeholder: String { Self.placeholder(layout) }

  private static func placeholder(_ layout: ValueLayout) -> String {
    switch layout {
    case .boolean: "BOOLEAN"
    case .float: "NUMBER"
    case .enumeration: "NAME"
    case .text(let count): count == 1 ? "CHARACTER" : "TEXT"
    case .array(let element, _, _): placeholder(element) + ",…"
    default: "INTEGER"
    }
  }

  /// What messages say was expected.
  var expectation: String { Self.expectation(layout) }

  private static func expectation(_ layout: ValueLayout) -> String {
    switch layout {
    case .boolean: "true or false"
    case .float: "a number"
    case .integer(let size, let signed): "an integer from \(range(size, signed))"
    case .enumeration(_, _, let names):
      names.isEmpty ? "an integer" : "one of \(names.map(\.name).joined(separator: ", "))"
    case .text(let count): count == 1 ? "one character" : "at most \(count) bytes of text"
    case .array(let element, _, let count): "up to \(count) values with commas between, each \(expectation(element))"
    case .pointer, .record, .bytes: "nothing"
    }
  }

  private static func range(_ size: Int, _ signed: Bool) -> String {
    let bits = size * 8
    if signed { return "\(Int64.min >> (64 - bits)) to \(Int64.max >> (64 - bits))" }
    return "0 to \(UInt64.max >> (64 - bits))"
  }

  // MARK: Reading

  /// The bytes of a value. Throws a usage error without the option's name: the caller puts it in front.
  func bytes(of text: String) throws(MoontraceError) -> [UInt8] {
    guard let bytes = Self.bytes(of: text[...], layout) else { throw mismatch(text) }
    return bytes
  }

  private func mismatch(_ text: String) -> MoontraceError {
    var hint = ""
    if case .enumeration(_, _, let names) = layout { hint = suggestionHint(for: text, in: names.map(\.name)) }
    return MoontraceError(.usage, "expected \(expectation), got '\(text)'\(hint)")
  }

  private static func bytes(of text: Substring, _ layout: ValueLayout) -> [UInt8]? {
    switch layout {
    case .integer(let size, let signed): return integer(text, size, signed)
    case .boolean(let size): return boolean(text).map { [$0 ? 1 : 0] + [UInt8](repeating: 0, count: size - 1) }
    case .float(let size): return float(text, size)
    case .enumeration(let size, let signed, let names):
      guard let name = names.first(where: { $0.name == text }) else { return integer(text, size, signed) }
      return Array(littleEndian(UInt64(bitPattern: name.value)).prefix(size))
    case .text(let count):
      let bytes = Array(text.utf8)
      if bytes.count > count || count == 1 && bytes.count != 1 { return nil }
      return bytes + [UInt8](repeating: 0, count: count - bytes.count)
    case .array(let element, let stride, let count): return array(text, element, stride, count)
    case .pointer, .record, .bytes: return nil
    }
  }

  private static func array(_ text: Substring, _ element: ValueLayout, _ stride: Int, _ count: Int) -> [UInt8]? {
    let parts = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= count else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
      guard let value = Self.bytes(of: part, element), value.count == stride else { return nil }
      bytes += value
    }
    return bytes + [UInt8](repeating: 0, count: stride * count - bytes.count)
  }

  private static func boolean(_ text: Substring) -> Bool? {
    switch text {
    case "true", "1", "yes", "on": true
    case "false", "0", "no", "off": false
    default: nil
    }
  }

  /// Decimal or hexadecimal, within the type's range.
  private static func integer(_ text: Substring, _ size: Int, _ signed: Bool) -> [UInt8]? {
    let isNegative = text.hasPrefix("-")
    let magnitude = isNegative || text.hasPrefix("+") ? text.dropFirst() : text
    let isHexadecimal = magnitude.hasPrefix("0x") || magnitude.hasPrefix("0X")
    let digits = isHexadecimal ? magnitude.dropFirst(2) : magnitude
    guard digits.first?.isHexDigit == true, let value = UInt64(digits, radix: isHexadecimal ? 16 : 10) else {
      return nil
    }
    let bits = UInt64(size * 8)
    let limit = signed ? (UInt64(1) << (bits - 1)) - (isNegative ? 0 : 1) : UInt64.max >> (64 - bits)
    guard value <= limit, signed || !isNegative || value == 0 else { return nil }
    return Array(littleEndian(isNegative ? 0 &- value : value).prefix(size))
  }

  private static func float(_ text: Substring, _ size: Int) -> [UInt8]? {
    guard text.allSatisfy({ $0.isNumber || "+-.eE".contains($0) }), let value = Double(text), value.isFinite else {
      return nil
    }
    if size == 8 { return littleEndian(value.bitPattern) }
    guard Float(value).isFinite else { return nil }
    return Array(littleEndian(UInt64(Float(value).bitPattern)).prefix(4))
  }

  private static func littleEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  // MARK: Writing

  /// The text that stands for bytes; empty for empty text and for arrays of zeros.
  func text(of bytes: [UInt8]) -> String {
    Self.text(of: bytes[...], layout)
  }

  private static func text(of bytes: ArraySlice<UInt8>, _ layout: ValueLayout) -> String {
    let word = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let unused = UInt64(max(0, 64 - bytes.prefix(8).count * 8))
    switch layout {
    case .boolean: return word == 0 ? "false" : "true"
    case .integer(_, signed: true): return "\(Int64(bitPattern: word << unused) >> Int64(unused))"
    case .float(let size):
      let value = size == 4 ? "\(Float(bitPattern: UInt32(truncatingIfNeeded: word)))" : "\(Double(bitPattern: word))"
      return value.hasSuffix(".0") ? String(value.dropLast(2)) : value
    case .enumeration(_, let signed, let names):
      let value = signed ? Int64(bitPattern: word << unused) >> Int64(unused) : Int64(bitPattern: word)
      return names.first { $0.value == value }?.name ?? "\(value)"
    case .text: return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    case .array(let element, let stride, let count):
      if bytes.allSatisfy({ $0 == 0 }) { return "" }
      let starts = (0..<count).map { bytes.startIndex + $0 * stride }
      return starts.map { text(of: bytes[$0..<min($0 + stride, bytes.endIndex)], element) }.joined(separator: ",")
    default: return "\(word)"
    }
  }
}
