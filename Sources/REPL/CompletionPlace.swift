/// What stands at the end of a text that is being typed.
enum CompletionPlace: Equatable {
  /// A command, `:st`.
  case command(String)
  /// Behind a command's name: the command, and what is typed of its argument.
  case argument(command: String, String)
  /// Inside the string that is a probe's SPEC.
  case spec(String)
  /// A name behind names and points, `args.fi`, or by itself; `isMethod`: behind a colon.
  case name(path: [String], String, isMethod: Bool, probe: ProbeFunction?)
  /// Inside another string, behind a number.
  case nothing

  /// The probe function that a place is in.
  struct ProbeFunction: Equatable {
    var spec: String?
    /// What it calls its argument, `args`.
    var argument: String?
  }

  /// - Parameter chunk: from its first line to the cursor.
  init(endOf chunk: String) {
    if chunk.hasPrefix(":") {
      self = Self.inCommand(chunk)
      return
    }
    let tokens = LuaToken.tokens(of: chunk)
    switch tokens.last {
    case .string(let text, isOpen: true)?: self = Self.isSpec(tokens) ? .spec(text) : .nothing
    case .word(let name)? where chunk.last.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false:
      self = Self.name(tokens.dropLast(), name)
    case .other? where !(chunk.last?.isWhitespace ?? true): self = .nothing
    default: self = Self.name(tokens[...], "")
    }
  }

  private static func inCommand(_ chunk: String) -> CompletionPlace {
    let parts = chunk.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let command = String(parts[0].dropFirst())
    guard parts.count == 2 else { return .command(command) }
    return .argument(command: command, String(parts[1].drop { $0 == " " }))
  }

  /// Whether the string at the end is the first argument of `probe`, or in the list that is.
  private static func isSpec(_ tokens: [LuaToken]) -> Bool {
    var before = tokens.dropLast()
    while let last = before.last {
      if case .string = last {
        before = before.dropLast()
      } else if last == .symbol(",") || last == .symbol("{") {
        before = before.dropLast()
      } else {
        break
      }
    }
    if before.last == .symbol("(") { before = before.dropLast() }
    return before.last == .word("probe")
  }

  private static func name(_ tokens: ArraySlice<LuaToken>, _ start: String) -> CompletionPlace {
    var rest = tokens
    var path: [String] = []
    let isMethod = rest.last == .symbol(":")
    while rest.last == .symbol(".") || (path.isEmpty && rest.last == .symbol(":")) {
      guard case .word(let name)? = rest.dropLast().last else { return .nothing }
      path.insert(name, at: 0)
      rest = rest.dropLast(2)
    }
    return .name(path: path, start, isMethod: isMethod, probe: probe(around: Array(tokens)))
  }

  /// The probe function that is still open at the end of the tokens.
  private static func probe(around tokens: [LuaToken]) -> ProbeFunction? {
    var open: [ProbeFunction?] = []
    for (index, token) in tokens.enumerated() {
      guard case .word(let word) = token else { continue }
      switch word {
      case "function": open.append(function(at: index, in: tokens))
      case "if", "do", "repeat": open.append(nil)
      case "end", "until": _ = open.popLast()
      default: break
      }
    }
    return open.compactMap(\.self).last
  }

  /// nil when the function at `index` is no argument of `probe`.
  private static func function(at index: Int, in tokens: [LuaToken]) -> ProbeFunction? {
    var probe = ProbeFunction()
    var before = tokens[..<index]
    guard before.popLast() == .symbol(",") else { return nil }
    if before.last == .symbol("}") { before = before.dropLast() }
    if case .string(let text, isOpen: false)? = before.last { probe.spec = text }
    while let last = before.last, last != .symbol("(") {
      guard last != .symbol(")") else { return nil }
      before = before.dropLast()
    }
    guard before.dropLast().last == .word("probe") else { return nil }
    if index + 2 < tokens.count, tokens[index + 1] == .symbol("("), case .word(let name) = tokens[index + 2] {
      probe.argument = name
    }
    return probe
  }
}
