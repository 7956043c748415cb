import Support

extension JSONValue {
  /// Reads JSON text.
  ///
  /// Integers of 64 bits are exact, larger ones are `number`s, as numbers with a fraction or an exponent are. Two
  /// members of one name are refused, so that no reader takes another one than we do. At most 128 levels, a million
  /// values and 128 MiB are read.
  ///
  /// ```swift
  /// let value = try JSONValue(json: readFile("package.json"), name: "package.json")
  /// ```
  /// - Parameter name: what errors call the text.
  /// - Throws: `.scriptFailed` with line and column, and what was expected there.
  public init(json bytes: [UInt8], name: String) throws(MoontraceError) {
    self = try JSONReader.read(bytes, name: name)
  }

  /// Reads one YAML document (YAML 1.2, core schema): plain scalars are null, booleans and numbers by their spelling,
  /// quoted ones are strings.
  ///
  /// Aliases are replaced by what they stand for. Limits and double names are as in JSON; aliases that would make the
  /// text much larger than it is ("billion laughs") are refused, and so are `.inf` and `.nan`, which JSON has not.
  ///
  /// - Parameter name: what errors call the text.
  /// - Throws: `.scriptFailed` with line and column.
  public init(yaml bytes: [UInt8], name: String) throws(MoontraceError) {
    self = try YAMLReader.read(bytes, name: name)
  }

  /// The value as JSON text.
  ///
  /// - Parameter isPretty: a member or element a line, indented by two blanks; else all in one line without blanks.
  public func json(isPretty: Bool = false) -> [UInt8] {
    var writer = JSONWriter(isPretty: isPretty)
    writer.write(self, level: 0)
    return writer.bytes
  }

  /// The value as a YAML document in block style.
  public func yaml() -> [UInt8] {
    var writer = YAMLWriter()
    writer.writeDocument(self)
    return writer.bytes
  }

  /// The member of that name; nil when there is none, or the value is no object.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The number that a text spells as JSON does; nil when it is too large for a `Double`.
  init?(number text: String, isInteger: Bool) {
    if isInteger, text != "-0" {
      if let value = Int64(text) {
        self = .integer(value)
        return
      }
      if let value = UInt64(text) {
        self = .unsigned(value)
        return
      }
    }
    guard let value = Double(text), value.isFinite else { return nil }
    self = .number(value)
  }

  /// What it is, in a message: `a string`.
  var kindName: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .integer, .unsigned: "an integer"
    case .number: "a number with a fraction"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
