import Support

/// Takes typed fields out of a header's table; its errors say where they were: `recipe: option 'pid'`.
struct TableReader {
  let fields: [String: RecipeValue]
  let place: String

  /// Throws when `value` is no table or has a key that is not among `keys`.
  init(_ value: RecipeValue, place: String, keys: [String]) throws(MoontraceError) {
    switch value {
    case .table(let fields): self.fields = fields
    case .list(let values) where values.isEmpty: fields = [:]
    default: throw MoontraceError(.scriptFailed, "\(place): expected a table of named fields, got \(value.quoted)")
    }
    self.place = place
    if let unknown = fields.keys.filter({ !keys.contains($0) }).min() {
      let near = suggestion(for: unknown, in: keys)
      throw MoontraceError(
        .scriptFailed, "\(place): unknown key '\(unknown)'",
        remedy: near.map { "did you mean '\($0)'?" } ?? "there are \(keys.joined(separator: ", "))")
    }
  }

  subscript(key: String) -> RecipeValue { fields[key] ?? .nil }

  func mismatch(_ key: String, expected: String) -> MoontraceError {
    MoontraceError(.scriptFailed, "\(place): '\(key)' must be \(expected), got \(self[key].quoted)")
  }

  /// Text without control characters other than tab and newline, since it is shown on terminals.
  func string(_ key: String) throws(MoontraceError) -> String? {
    switch self[key] {
    case .nil: return nil
    case .string(let text):
      try checkPrintable(text, key)
      return text
    default: throw mismatch(key, expected: "a string")
    }
  }

  /// Text of one line.
  func line(_ key: String) throws(MoontraceError) -> String? {
    let text = try string(key)
    if let text, text.utf8.contains(UInt8(ascii: "\n")) {
      throw MoontraceError(.scriptFailed, "\(place): '\(key)' must be one line")
    }
    return text
  }

  func boolean(_ key: String) throws(MoontraceError) -> Bool? {
    switch self[key] {
    case .nil: return nil
    case .boolean(let value): return value
    default: throw mismatch(key, expected: "true or false")
    }
  }

  /// The elements of a list; none when the key is missing.
  func list(_ key: String) throws(MoontraceError) -> [RecipeValue] {
    switch self[key] {
    case .nil: return []
    case .list(let values): return values
    case .table(let fields) where fields.isEmpty: return []
    default: throw mismatch(key, expected: "a list, { … }")
    }
  }

  func strings(_ key: String) throws(MoontraceError) -> [String] {
    var texts: [String] = []
    for value in try list(key) {
      guard case .string(let text) = value else {
        throw MoontraceError(.scriptFailed, "\(place): '\(key)' must hold strings only, got \(value.quoted)")
      }
      try checkPrintable(text, key)
      texts.append(text)
    }
    return texts
  }

  private func checkPrintable(_ text: String, _ key: String) throws(MoontraceError) {
    let isControl: (Unicode.Scalar) -> Bool = { scalar in
      scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
    }
    if text.unicodeScalars.contains(where: isControl) {
      throw MoontraceError(.scriptFailed, "\(place): '\(key)' holds control characters", remedy: "write plain text")
    }
  }
}

/// Throws unless `name` is a lower-case identifier, `-` allowed inside.
func checkIdentifier(_ name: String, place: String) throws(MoontraceError) {
  let isInside: (UInt8) -> Bool = { byte in
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5f || byte == 0x2d
  }
  guard let first = name.utf8.first, (0x61...0x7a).contains(first), name.utf8.allSatisfy(isInside) else {
    throw MoontraceError(
      .scriptFailed, "\(place): '\(name)' is not an identifier", remedy: "a lower-case letter, then a-z, 0-9, _ and -")
  }
}
