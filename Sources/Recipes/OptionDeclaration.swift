import Support

extension RecipeOption {
  /// Reads one element of a header's `options`; `position` counts from 1 and stands in errors until the name is known.
  init(_ value: RecipeValue, position: Int) throws(MoontraceError) {
    let keys = ["name", "short", "type", "default", "help", "required", "choices"]
    let unnamed = try TableReader(value, place: "recipe: options[\(position)]", keys: keys)
    guard let name = try unnamed.string("name") else {
      throw MoontraceError(.scriptFailed, "\(unnamed.place): 'name' is missing")
    }
    let table = try TableReader(value, place: "recipe: option '\(name)'", keys: keys)
    try OptionNames.check(name, place: table.place)
    let type = try Self.readType(table)
    self.init(
      name: name, short: try Self.readShort(table), type: type, defaultValue: try Self.readDefault(table, type),
      help: try table.string("help") ?? "", required: try table.boolean("required") ?? false,
      choices: try Self.readChoices(table, type))
    try checkConsistency(place: table.place)
  }

  private static func readType(_ table: TableReader) throws(MoontraceError) -> OptionType {
    guard let text = try table.string("type") else { return .string }
    if let type = OptionType(rawValue: text) { return type }
    let names = OptionType.allCases.map(\.rawValue)
    throw MoontraceError(
      .scriptFailed, "\(table.place): unknown type '\(text)'",
      remedy: suggestion(for: text, in: names).map { "did you mean '\($0)'?" }
        ?? "there are \(names.joined(separator: ", "))")
  }

  private static func readShort(_ table: TableReader) throws(MoontraceError) -> Character? {
    guard let text = try table.string("short") else { return nil }
    guard text.count == 1, let letter = text.first, letter.isASCII, letter.isLetter else {
      throw table.mismatch("short", expected: "one letter")
    }
    return letter
  }

  private static func readDefault(_ table: TableReader, _ type: OptionType) throws(MoontraceError) -> OptionValue? {
    if table["default"] == .nil { return nil }
    guard let value = OptionValue(table["default"], as: type) else {
      throw table.mismatch("default", expected: type.expectation)
    }
    return value
  }

  private static func readChoices(_ table: TableReader, _ type: OptionType) throws(MoontraceError) -> [OptionValue] {
    if table["choices"] == .nil { return [] }
    var choices: [OptionValue] = []
    for element in try table.list("choices") {
      guard let choice = OptionValue(element, as: type) else {
        throw MoontraceError(
          .scriptFailed, "\(table.place): a choice must be \(type.expectation), got \(element.quoted)")
      }
      choices.append(choice)
    }
    guard !choices.isEmpty else { throw MoontraceError(.scriptFailed, "\(table.place): 'choices' is empty") }
    return choices
  }

  private func checkConsistency(place: String) throws(MoontraceError) {
    if type == .boolean, required || !choices.isEmpty {
      let key = required ? "required" : "choices"
      throw MoontraceError(
        .scriptFailed, "\(place): a boolean can't have '\(key)'", remedy: "it is given or it is not")
    }
    if type == .file, defaultValue != nil || !choices.isEmpty {
      let key = defaultValue == nil ? "choices" : "a default"
      throw MoontraceError(
        .scriptFailed, "\(place): a file can't have \(key)", remedy: "only what the user names is written")
    }
    if required, defaultValue != nil {
      throw MoontraceError(
        .scriptFailed, "\(place): a required option can't have a default", remedy: "drop one of them")
    }
    if let defaultValue, !choices.isEmpty, !choices.contains(defaultValue) {
      throw MoontraceError(
        .scriptFailed, "\(place): the default '\(defaultValue)' is not among the choices",
        remedy: "there are \(choices.map(\.description).joined(separator: ", "))")
    }
  }
}

extension OptionValue {
  /// A value that a header wrote, as the option's type; durations and sizes may be text with a unit. nil when it is not
  /// of that type.
  init?(_ value: RecipeValue, as type: OptionType) {
    switch (type, value) {
    case (.boolean, .boolean(let value)): self = .boolean(value)
    case (.string, .string(let text)): self = .string(text)
    case (.file, .string(let path)): self = .file(path)
    case (.integer, .integer(let value)): self = .integer(value)
    case (.number, .integer(let value)): self = .number(Double(value))
    case (.number, .number(let value)) where value.isFinite: self = .number(value)
    case (.duration, .integer(let value)) where value >= 0: self = .duration(Double(value))
    case (.duration, .number(let value)) where value >= 0 && value.isFinite: self = .duration(value)
    case (.size, .integer(let value)) where value >= 0: self = .size(value)
    case (.duration, .string(let text)), (.size, .string(let text)):
      guard let parsed = try? OptionValue(text, as: type) else { return nil }
      self = parsed
    default: return nil
    }
  }

  /// A value from the command line. Throws a usage error without the option's name.
  init(_ text: String, as type: OptionType) throws(MoontraceError) {
    switch type {
    case .integer: self = .integer(try parseInteger(text))
    case .number: self = .number(try parseNumber(text))
    case .string, .boolean: self = .string(text)
    case .duration: self = .duration(try parseDuration(text))
    case .size: self = .size(try parseSize(text))
    case .file: self = .file(text)
    }
  }
}
