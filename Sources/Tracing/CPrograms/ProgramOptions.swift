import KernelLoader
import Packages
import Recipes
import Support

/// The options of a C program: each global variable whose value has a text is one.
struct ProgramOptions {
  private struct Entry {
    let variable: GlobalVariable
    let text: GlobalText
    let option: RecipeOption
  }

  private let name: String
  private let entries: [Entry]
  private let documentation: Documentation?

  /// Reads the globals of an opened object, and what its package says of them.
  ///
  /// - Parameter name: how the program is called in its help.
  /// - Throws: `.scriptFailed` when the package's annotations make no sense: a short name that is no letter, two options
  ///   of one name.
  init(_ object: BPFObject, _ meta: PackageMeta?, name: String) throws(MoontraceError) {
    let variables = (meta?.skeleton.sections ?? []).flatMap(\.variables)
    let annotated = Dictionary(variables.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
    var entries: [Entry] = []
    // Names of this kind are the compiler's and libraries', not the user's.
    for variable in Self.ordered(object.globals, variables) where !variable.name.hasPrefix("__") {
      guard let text = GlobalText(variable.layout), variable.layout.size == variable.size else { continue }
      entries.append(try Self.entry(variable, text, annotated[variable.name], of: object.name))
    }
    try Self.checkUnique(entries, of: object.name)
    self.name = name
    self.entries = entries
    documentation = meta?.skeleton.documentation
  }

  /// In the package's order; what it does not know behind that, constants first.
  private static func ordered(_ globals: [GlobalVariable], _ known: [PackagedVariable]) -> [GlobalVariable] {
    let places = Dictionary(known.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { a, _ in a })
    let ranked = globals.enumerated().map { index, variable in
      (rank: (places[variable.name] ?? known.count, variable.isConstant ? 0 : 1, index), variable: variable)
    }
    return ranked.sorted { $0.rank < $1.rank }.map(\.variable)
  }

  private static func entry(
    _ variable: GlobalVariable, _ text: GlobalText, _ annotated: PackagedVariable?, of object: String
  ) throws(MoontraceError) -> Entry {
    let argument = annotated?.argument
    if let value = argument?.defaultValue ?? annotated?.value { try setDefault(variable, text, value, of: object) }
    let current = text.text(of: try variable.read())
    let help = argument?.help ?? annotated?.description ?? Self.bareType(variable.typeName)
    var option = RecipeOption(
      name: argument?.long ?? variable.name, short: try short(argument?.short, of: variable.name, in: object),
      help: oneLine(help))
    if case .boolean = text.layout {
      option.type = .boolean
      option.defaultValue = .boolean(current == "true")
      option.answersToEnable = true
    } else {
      option.defaultValue = current.isEmpty ? nil : .string(current)
      option.form = ValueForm(placeholder: text.placeholder, expectation: text.expectation)
    }
    return Entry(variable: variable, text: text, option: option)
  }

  private static func setDefault(
    _ variable: GlobalVariable, _ text: GlobalText, _ value: JSONValue, of object: String
  ) throws(MoontraceError) {
    do throws(MoontraceError) {
      try variable.write(text.bytes(of: Self.text(value)))
    } catch {
      throw MoontraceError(.scriptFailed, "\(object): the default of '\(variable.name)': \(error.message)")
    }
  }

  private static func short(
    _ text: String?, of variable: String, in object: String
  ) throws(MoontraceError) -> Character? {
    guard let text, !text.isEmpty else { return nil }
    guard text.count == 1, let letter = text.first, letter.isASCII, letter.isLetter else {
      throw MoontraceError(.scriptFailed, "\(object): variable '\(variable)': its short option '\(text)' is no letter")
    }
    return letter
  }

  private static func checkUnique(_ entries: [Entry], of object: String) throws(MoontraceError) {
    var owners: [String: String] = [:]
    for entry in entries {
      let names = [entry.option.flag] + (entry.option.short.map { ["-\($0)"] } ?? [])
      for name in names {
        guard let other = owners.updateValue(entry.variable.name, forKey: name) else { continue }
        throw MoontraceError(
          .scriptFailed, "\(object): variables '\(other)' and '\(entry.variable.name)' are both the option \(name)")
      }
    }
  }

  /// A JSON value as it would be typed.
  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .null, .object: ""
    case .boolean(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .unsigned(let number): "\(number)"
    case .number(let number):
      number == number.rounded() ? "\(Int64(exactly: number).map(String.init) ?? "\(number)")" : "\(number)"
    case .string(let text): text
    case .array(let values): values.map(text).joined(separator: ",")
    }
  }

  private static func bareType(_ name: String) -> String {
    name.split(separator: " ").filter { $0 != "const" && $0 != "volatile" }.joined(separator: " ")
  }

  // MARK: The command line

  /// Sets the variables that the arguments name.
  ///
  /// - Parameters:
  ///   - pid: of the command line's own `--pid`, for a program that has an option of that name.
  ///   - outer: the command line's own options, which stand before the program's name.
  /// - Returns: false when help was asked for, and nothing was set.
  /// - Throws: `.usage`, naming the option.
  func apply(_ arguments: [String], pid: Int32?, outer: [String]) throws(MoontraceError) -> Bool {
    let own = arguments.first == "--" ? Array(arguments.dropFirst()) : arguments
    let parsed = try header.parseArguments(own, outer: outer)
    if parsed.helpRequested { return false }
    if let first = parsed.positional.first {
      throw MoontraceError(.usage, "\(name) takes options only, not '\(first)'", remedy: "--help lists them")
    }
    for entry in entries {
      guard let value = given(entry, parsed, pid) else { continue }
      do throws(MoontraceError) {
        try entry.variable.write(entry.text.bytes(of: value))
      } catch {
        throw MoontraceError(.usage, "\(entry.option.flag): \(error.message)", remedy: error.remedy)
      }
    }
    return true
  }

  /// What is to be set, when it is not what the variable holds already.
  private func given(_ entry: Entry, _ parsed: ParsedOptions, _ pid: Int32?) -> String? {
    guard let value = parsed.values[entry.option.luaName], value != entry.option.defaultValue else {
      return entry.option.luaName == "pid" ? pid.map(String.init) : nil
    }
    return value.description
  }

  /// Each option, with its variable and what C says of that.
  var described: [ObjectDescription.Option] {
    entries.map {
      ObjectDescription.Option(
        option: $0.option, variable: $0.variable.name, type: Self.bareType($0.variable.typeName))
    }
  }

  /// The variable behind an option's or a variable's name.
  func variable(_ name: String) -> String? {
    if let entry = entries.first(where: { $0.variable.name == name }) { return entry.variable.name }
    let wanted = String(name.map { $0 == "-" ? "_" : $0 })
    return entries.first { $0.option.luaName == wanted }?.variable.name
  }

  private var header: RecipeHeader {
    let summary = documentation?.brief ?? documentation?.description ?? ""
    return RecipeHeader(
      name: name, summary: Self.oneLine(summary), version: documentation?.version, options: entries.map(\.option))
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// The help that `--help` prints.
  var helpText: String {
    let more = [documentation?.details, documentation?.version.map { "Version: \($0)" }].compactMap(\.self)
    let help = header.helpText(programName: "moontrace run \(name)", takesArguments: false)
    return (help + more.map { "\n\(Self.oneLine($0))\n" }.joined()).printable
  }
}
