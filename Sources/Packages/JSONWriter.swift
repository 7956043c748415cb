/// Writes JSON text (RFC 8259) into bytes.
struct JSONWriter {
  let isPretty: Bool
  private(set) var bytes: [UInt8] = []

  init(isPretty: Bool = false) {
    self.isPretty = isPretty
  }

  mutating func write(_ value: JSONValue, level: Int) {
    switch value {
    case .null: append("null")
    case .boolean(let value): append(value ? "true" : "false")
    case .integer(let value): append(String(value))
    case .unsigned(let value): append(String(value))
    // JSON has no infinity; the readers here give none either.
    case .number(let value): append(value.isFinite ? "\(value)" : "null")
    case .string(let text): writeString(text)
    case .array(let elements):
      writeList("[", "]", count: elements.count, level: level) { writer, index in
        writer.write(elements[index], level: level + 1)
      }
    case .object(let members):
      writeList("{", "}", count: members.count, level: level) { writer, index in
        writer.writeString(members[index].name)
        writer.append(writer.isPretty ? ": " : ":")
        writer.write(members[index].value, level: level + 1)
      }
    }
  }

  private mutating func writeList(
    _ open: String, _ close: String, count: Int, level: Int, _ writeElement: (inout JSONWriter, Int) -> Void
  ) {
    append(open)
    for index in 0..<count {
      if index > 0 { append(",") }
      breakLine(level: level + 1)
      writeElement(&self, index)
    }
    if count > 0 { breakLine(level: level) }
    append(close)
  }

  private mutating func breakLine(level: Int) {
    guard isPretty else { return }
    bytes.append(0x0a)
    bytes.append(contentsOf: repeatElement(0x20, count: 2 * level))
  }

  /// In double quotes, as both JSON and YAML read it.
  mutating func writeString(_ text: String) {
    append("\"")
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22, 0x5c: append("\\\(scalar)")
      case 0x0a: append("\\n")
      case 0x09: append("\\t")
      case 0x20..<0x7f: bytes.append(UInt8(scalar.value))
      // What YAML takes for line breaks, or doesn't take at all, besides control characters.
      case ..<0xa0, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff:
        let digits = String(scalar.value, radix: 16)
        append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
      default: append(String(scalar))
      }
    }
    append("\"")
  }

  private mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }
}
