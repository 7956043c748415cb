/// Writes a value as YAML in block style: one member or element a line.
struct YAMLWriter {
  private(set) var bytes: [UInt8] = []
  /// A longer name can't stand before its colon in one line (YAML 1.2 §7.4.2).
  private static let maximumName = 1000

  mutating func writeDocument(_ value: JSONValue) {
    write(value, indentation: 0)
    append("\n")
  }

  /// Writes at column `indentation`, where a block may begin.
  private mutating func write(_ value: JSONValue, indentation: Int) {
    switch value {
    case .object(let members) where !members.isEmpty:
      for (index, member) in members.enumerated() {
        if index > 0 { breakLine(indentation) }
        writeName(member.name, indentation: indentation)
        writeMember(member.value, indentation: indentation)
      }
    case .array(let elements) where !elements.isEmpty:
      for (index, element) in elements.enumerated() {
        if index > 0 { breakLine(indentation) }
        append("- ")
        write(element, indentation: indentation + 2)
      }
    case .string(let text): bytes += Self.scalar(text)
    case .null, .boolean, .integer, .unsigned, .number, .array, .object: bytes += value.json()
    }
  }

  private mutating func writeName(_ name: String, indentation: Int) {
    let text = Self.scalar(name)
    if text.count <= Self.maximumName {
      bytes += text
    } else {
      append("? ")
      bytes += text
      breakLine(indentation)
    }
    append(":")
  }

  private mutating func writeMember(_ value: JSONValue, indentation: Int) {
    switch value {
    case .object(let members) where !members.isEmpty: breakLine(indentation + 2)
    case .array(let elements) where !elements.isEmpty: breakLine(indentation + 2)
    default: append(" ")
    }
    write(value, indentation: indentation + 2)
  }

  /// A text, in quotes where it needs them.
  private static func scalar(_ text: String) -> [UInt8] {
    YAMLSchema.isPlainString(text) ? Array(text.utf8) : JSONValue.string(text).json()
  }

  private mutating func breakLine(_ indentation: Int) {
    append("\n")
    bytes.append(contentsOf: repeatElement(0x20, count: indentation))
  }

  private mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }
}
