import Support

/// A line that begins with a colon.
enum Command: Equatable {
  case probes
  case stop(Int)
  case maps
  case list(String)
  case type(String)
  case save(String, replaces: Bool)
  case help
  case quit

  /// What a command's argument is.
  enum Argument {
    case probeNumber, spec, type, file
  }

  private static let known: [(name: String, argument: Argument?, usage: String, help: String)] = [
    ("probes", nil, ":probes", "what is attached"),
    ("stop", .probeNumber, ":stop N", "detach probe N"),
    ("maps", nil, ":maps", "maps and aggregates"),
    ("list", .spec, ":list GLOB", "places that a probe may be attached to: :list t:sched:*"),
    ("type", .type, ":type NAME", "a type of the kernel as C declares it"),
    ("save", .file, ":save FILE", "the session as a script that 'moontrace run' takes (:save! replaces a file)"),
    ("help", nil, ":help", "this"),
    ("quit", nil, ":quit", "end, as Ctrl-D"),
  ]

  static let names = known.map(\.name)

  static func argument(of name: String) -> Argument? {
    known.first { $0.name == (name == "save!" ? "save" : name) }?.argument
  }

  static var helpText: String {
    let width = known.map(\.usage.count).max() ?? 0
    let lines = known.map { entry in
      entry.usage + String(repeating: " ", count: width + 2 - entry.usage.count) + entry.help
    }
    return "Lua runs when a chunk of it is complete; an expression shows its value.\n" + lines.joined(separator: "\n")
  }

  /// Reads a line that begins with a colon.
  ///
  /// - Throws: `.usage` when there is no such command, or its argument is missing.
  init(_ line: String) throws(MoontraceError) {
    let parts = line.dropFirst().split(separator: " ", maxSplits: 1).map(String.init)
    let name = parts.first ?? ""
    let argument = parts.count > 1 ? parts[1].trimmed : ""
    switch name {
    case "probes": self = .probes
    case "stop": self = .stop(try Self.number(argument))
    case "maps": self = .maps
    case "list": self = .list(try Self.present(argument, name))
    case "type": self = .type(try Self.present(argument, name))
    case "save", "save!": self = .save(try Self.present(argument, "save"), replaces: name.hasSuffix("!"))
    case "help", "h", "?": self = .help
    case "quit", "q": self = .quit
    default:
      throw MoontraceError(
        .usage, "there is no command ':\(name)'\(suggestionHint(for: name, in: Self.names))", remedy: ":help lists them"
      )
    }
  }

  private static func present(_ argument: String, _ name: String) throws(MoontraceError) -> String {
    if !argument.isEmpty { return argument }
    let usage = known.first { $0.name == name }?.usage ?? ""
    throw MoontraceError(.usage, ":\(name): expected \(usage)")
  }

  private static func number(_ argument: String) throws(MoontraceError) -> Int {
    if let number = Int(argument) { return number }
    throw MoontraceError(.usage, ":stop: expected the number of a probe", remedy: ":probes lists them")
  }
}

extension String {
  /// Without blanks at its ends.
  var trimmed: String {
    let start = drop { $0 == " " }
    return String(start.reversed().drop { $0 == " " }.reversed())
  }
}
