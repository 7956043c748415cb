/// JSON for what commands print; events have a writer of their own (CEventCore).
public enum JSONText {
  /// A string (RFC 8259): quotes, backslashes and control characters are escaped; `null` for nil.
  public static func quoted(_ text: String?) -> String {
    guard let text else { return "null" }
    let body = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"", "\\": return "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: return String(scalar)
      }
    }
    return "\"\(body.joined())\""
  }

  /// An object of fields whose values are JSON already.
  public static func object(_ fields: [(name: String, value: String)]) -> String {
    "{" + fields.map { "\(quoted($0.name)):\($0.value)" }.joined(separator: ",") + "}"
  }

  /// A list of values that are JSON already.
  public static func list(_ values: [String]) -> String {
    "[\(values.joined(separator: ","))]"
  }
}
