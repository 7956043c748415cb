import Packages

/// JSON for what commands print; events have a writer of their own (CEventCore).
public enum JSONText {
  /// A string (RFC 8259): quotes, backslashes and control characters are escaped; `null` for nil.
  public static func quoted(_ text: String?) -> String {
    text.map { String(decoding: JSONValue.string($0).json(), as: UTF8.self) } ?? "null"
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
