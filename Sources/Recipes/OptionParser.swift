import Support

/// The arguments of a recipe, read.
public struct ParsedOptions: Equatable, Sendable {
  /// Values by `RecipeOption.luaName`: given ones and defaults. A boolean always has one; other options that were not
  /// given and have no default are missing.
  public var values: [String: OptionValue] = [:]
  /// What is left, in order: Lua's `arg`.
  public var positional: [String] = []
  /// `--help` or `-h` was given; nothing after it was read.
  public var helpRequested = false

  public init() {}

  /// The arguments of a script without a header: all are positional, also those that look like options.
  public init(withoutHeader arguments: [String]) {
    positional = arguments
  }
}

extension RecipeHeader {
  /// Reads a command line's arguments after the recipe's name, in GNU style: `--name value`, `--name=value`, `-n value`,
  /// `-nvalue`, bundled booleans `-xv`, `--no-name` for booleans; `--` ends options.
  ///
  /// Throws usage errors: an unknown option, a value that is missing, mistyped, out of range or not among the choices,
  /// a required option that was not given.
  ///
  /// - Parameter outer: options of the command that runs the recipe (`-d`, `--duration`), which errors tell apart from
  ///   unknown ones: they stand before the recipe's name.
  public func parseArguments(_ arguments: [String], outer: [String] = []) throws(MoontraceError) -> ParsedOptions {
    var parser = OptionParser(options: options, arguments: arguments, recipe: name, outer: outer)
    return try parser.parse()
  }
}

private struct OptionParser {
  let options: [RecipeOption]
  let recipe: String
  let outer: [String]
  var rest: ArraySlice<String>
  var parsed = ParsedOptions()

  init(options: [RecipeOption], arguments: [String], recipe: String, outer: [String]) {
    self.options = options
    self.recipe = recipe
    self.outer = outer
    rest = arguments[...]
  }

  mutating func parse() throws(MoontraceError) -> ParsedOptions {
    while let argument = rest.popFirst() {
      if argument == "--" {
        parsed.positional += rest
        break
      }
      if argument.hasPrefix("--") {
        try readLong(argument.dropFirst(2))
      } else if Self.isShort(argument) {
        try readShort(argument.dropFirst())
      } else {
        parsed.positional.append(argument)
      }
      if parsed.helpRequested { return parsed }
    }
    try fillIn()
    return parsed
  }

  /// `-` alone and negative numbers are positional.
  private static func isShort(_ argument: String) -> Bool {
    guard argument.hasPrefix("-"), let next = argument.dropFirst().first else { return false }
    return !next.isNumber && next != "."
  }

  private mutating func readLong(_ text: Substring) throws(MoontraceError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = RecipeOption.luaName(parts[0])
    let attached = parts.count > 1 ? String(parts[1]) : nil
    if name == "help", attached == nil {
      parsed.helpRequested = true
    } else if let option = options.first(where: { $0.luaName == name }) {
      try read(option, attached: attached)
    } else if let (option, isOn) = self.switch(name) {
      try Self.refuseValue(option, attached)
      parsed.values[option.luaName] = .boolean(isOn)
    } else {
      throw unknown("--\(parts[0])")
    }
  }

  /// The boolean that a name such as `no_NAME` turns on or off.
  private func `switch`(_ name: String) -> (option: RecipeOption, isOn: Bool)? {
    let booleans = options.filter { $0.type == .boolean }
    if let option = booleans.first(where: { "no_" + $0.luaName == name }) { return (option, false) }
    let old = booleans.filter(\.answersToEnable)
    if let option = old.first(where: { "enable_" + $0.luaName == name }) { return (option, true) }
    return old.first { "disable_" + $0.luaName == name }.map { ($0, false) }
  }

  private mutating func readShort(_ letters: Substring) throws(MoontraceError) {
    var letters = letters
    while let letter = letters.popFirst() {
      if let option = options.first(where: { $0.short == letter }) {
        if option.type == .boolean {
          parsed.values[option.luaName] = .boolean(true)
          continue
        }
        return try read(option, attached: letters.isEmpty ? nil : String(letters))
      }
      guard letter == "h" else { throw unknown("-\(letter)") }
      parsed.helpRequested = true
      return
    }
  }

  private mutating func read(_ option: RecipeOption, attached: String?) throws(MoontraceError) {
    if option.type == .boolean {
      try Self.refuseValue(option, attached)
      parsed.values[option.luaName] = .boolean(true)
      return
    }
    guard let text = attached ?? rest.popFirst() else {
      throw MoontraceError(.usage, "\(option.flag) needs a value: \(option.expectation)")
    }
    parsed.values[option.luaName] = try Self.value(of: option, text)
  }

  private static func refuseValue(_ option: RecipeOption, _ attached: String?) throws(MoontraceError) {
    guard let attached else { return }
    throw MoontraceError(
      .usage, "\(option.flag) takes no value, got '\(attached)'",
      remedy: "\(option.flag) turns it on, --no-\(option.flag.dropFirst(2)) off")
  }

  private static func value(of option: RecipeOption, _ text: String) throws(MoontraceError) -> OptionValue {
    let value: OptionValue
    do {
      value = try OptionValue(text, as: option.type)
    } catch {
      throw MoontraceError(.usage, "\(option.flag): \(error.message)", remedy: error.remedy)
    }
    guard option.choices.isEmpty || option.choices.contains(value) else {
      let choices = option.choices.map(\.description)
      throw MoontraceError(
        .usage, "\(option.flag): '\(text)' is not one of \(choices.joined(separator: ", "))",
        remedy: suggestion(for: text, in: choices).map { "did you mean '\($0)'?" })
    }
    return value
  }

  private mutating func fillIn() throws(MoontraceError) {
    for option in options where parsed.values[option.luaName] == nil {
      if option.required {
        throw MoontraceError(.usage, "\(option.flag) is required", remedy: "it takes \(option.expectation)")
      }
      parsed.values[option.luaName] = option.defaultValue ?? (option.type == .boolean ? .boolean(false) : nil)
    }
  }

  private func unknown(_ argument: String) -> MoontraceError {
    if outer.contains(argument) {
      return MoontraceError(
        .usage, "unknown option '\(argument)'",
        remedy: "\(argument) of moontrace run stands before the name: moontrace run \(argument) … \(recipe)")
    }
    let flags = options.map(\.flag) + ["--help"]
    let shorts = options.compactMap { option in option.short.map { "-\($0)" } }
    let isLong = argument.hasPrefix("--") && argument.count > 3
    let near = isLong ? nearest(argument, flags) : shorts.first { $0.lowercased() == argument.lowercased() }
    return MoontraceError(
      .usage, "unknown option '\(argument)'",
      remedy: near.map { "did you mean '\($0)'?" } ?? "--help lists the options; -- ends them")
  }

  /// The flag that was mistyped or cut short.
  private func nearest(_ argument: String, _ flags: [String]) -> String? {
    flags.first { $0.hasPrefix(argument) } ?? suggestion(for: argument, in: flags)
  }
}
