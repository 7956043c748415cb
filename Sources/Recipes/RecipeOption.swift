/// One option that a recipe declares: `{ name = "pid", short = "p", type = "integer", help = "…" }`.
public struct RecipeOption: Equatable, Sendable {
  /// As declared: `max-events` and `max_events` are the same option.
  public var name: String
  /// The letter of `-p`.
  public var short: Character?
  public var type: OptionType
  public var defaultValue: OptionValue?
  public var help: String
  public var required: Bool
  /// The values that are allowed; empty when all are.
  public var choices: [OptionValue]
  /// Of an option of type `string` whose owner reads the text: what it is for users.
  public var form: ValueForm?
  /// Of a boolean: whether `--enable-NAME` and `--disable-NAME` mean it too, as in eunomia-bpf.
  public var answersToEnable = false

  public init(
    name: String, short: Character? = nil, type: OptionType = .string, defaultValue: OptionValue? = nil,
    help: String = "", required: Bool = false, choices: [OptionValue] = []
  ) {
    self.name = name
    self.short = short
    self.type = type
    self.defaultValue = defaultValue
    self.help = help
    self.required = required
    self.choices = choices
  }

  var expectation: String { form?.expectation ?? type.expectation }

  /// The name in Lua, `max_events` in `opt.max_events`, and the key in `ParsedOptions.values`.
  public var luaName: String { Self.luaName(name) }

  /// The name on the command line: `--max-events`. `_` is accepted there too.
  public var flag: String { "--" + String(name.map { $0 == "_" ? "-" : $0 }) }

  static func luaName(_ name: some StringProtocol) -> String {
    String(name.map { $0 == "-" ? "_" : $0 })
  }
}

/// What a value is that its owner reads from text.
public struct ValueForm: Equatable, Sendable {
  /// Stands for it in the help: `INTEGER`.
  public var placeholder: String
  /// What messages say was expected: `an integer`.
  public var expectation: String

  public init(placeholder: String, expectation: String) {
    self.placeholder = placeholder
    self.expectation = expectation
  }
}

/// What kind of value an option takes.
public enum OptionType: String, CaseIterable, Equatable, Sendable {
  case integer, number, string, boolean, duration, size
  /// A path that the script may write because the user names it.
  case file

  /// What an error message says was expected.
  var expectation: String {
    switch self {
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .boolean: "true or false"
    case .duration: durationExpectation
    case .size: sizeExpectation
    case .file: "a file to write"
    }
  }
}

/// The value of an option, typed.
public enum OptionValue: Equatable, Sendable {
  case integer(Int)
  case number(Double)
  case string(String)
  case boolean(Bool)
  /// Seconds.
  case duration(Double)
  /// Bytes.
  case size(Int)
  /// A path.
  case file(String)
}

extension OptionValue: CustomStringConvertible {
  /// As it would be typed on the command line, in the shortest unit: `100ms`, `8M`.
  public var description: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value): shortest(value)
    case .string(let text): text
    case .boolean(let value): "\(value)"
    case .duration(let seconds): durationText(seconds)
    case .size(let bytes): sizeText(bytes)
    case .file(let path): path
    }
  }
}
