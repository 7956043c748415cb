import Support

/// What stands at the end of a text that is being typed.
enum CompletionPlace: Equatable {
  /// A command, `:st`.
  case command(String)
  /// Behind a command's name: the command, and what is typed of its argument.
  case argument(command: String, String)
  /// Inside the string that is a probe's SPEC.
  case spec(String)
  /// Inside a string that is the path of a file.
  case path(String)
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
    let tokens = LuaToken.all(in: chunk)
    let isAtEnd = !(chunk.last?.isWhitespace ?? true)
    switch tokens.last?.kind {
    case .string? where tokens.last?.isOpen == true: self = Self.inString(tokens)
    case .name? where isAtEnd, .keyword? where isAtEnd: self = Self.name(tokens.dropLast(), tokens.last?.text ?? "")
    case .number? where isAtEnd, .comment?: self = .nothing
    default: self = Self.name(tokens[...], "")
    }
  }

  private static func inCommand(_ chunk: String) -> CompletionPlace {
    let parts = chunk.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let command = String(parts[0].dropFirst())
    guard parts.count == 2 else { return .command(command) }
    return .argument(command: command, String(parts[1].drop { $0 == " " }))
  }

  private static func inString(_ tokens: [LuaToken]) -> CompletionPlace {
    let text = String(tokens.last?.contents ?? "")
    if isSpec(tokens.dropLast()) { return .spec(text) }
    return isPath(tokens.dropLast()) ? .path(text) : .nothing
  }

  /// Whether the string behind the tokens is the first argument of `probe`, or in the list that is.
  private static func isSpec(_ tokens: ArraySlice<LuaToken>) -> Bool {
    var before = tokens
    while let last = before.last, last.kind == .string || last.is(",") || last.is("{") { before = before.dropLast() }
    if before.last?.is("(") == true { before = before.dropLast() }
    return before.last?.is("probe") == true
  }

  /// Whether the string behind the tokens is the argument of `bpf.object`, or a field `file`, as of `a:flamegraph`.
  private static func isPath(_ tokens: ArraySlice<LuaToken>) -> Bool {
    if tokens.ends(with: "file", "=") { return true }
    return tokens.ends(with: "bpf", ".", "object", "(") || tokens.ends(with: "bpf", ".", "object")
  }

  private static func name(_ tokens: ArraySlice<LuaToken>, _ start: String) -> CompletionPlace {
    var rest = tokens
    var path: [String] = []
    let isMethod = rest.last?.is(":") == true
    while let last = rest.last, last.is(".") || (path.isEmpty && last.is(":")) {
      guard let owner = rest.dropLast().last, owner.kind == .name else { return .nothing }
      path.insert(owner.text, at: 0)
      rest = rest.dropLast(2)
    }
    return .name(path: path, start, isMethod: isMethod, probe: probe(around: Array(tokens)))
  }

  /// The probe function that is still open at the end of the tokens.
  private static func probe(around tokens: [LuaToken]) -> ProbeFunction? {
    var open: [ProbeFunction?] = []
    for (index, token) in tokens.enumerated() {
      guard token.kind == .keyword else { continue }
      switch token.text {
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
    guard before.popLast()?.is(",") == true else { return nil }
    if before.last?.is("}") == true { before = before.dropLast() }
    probe.spec = before.last?.contents.map(String.init)
    while let last = before.last, !last.is("(") {
      guard !last.is(")") else { return nil }
      before = before.dropLast()
    }
    guard before.ends(with: "probe", "(") else { return nil }
    if index + 2 < tokens.count, tokens[index + 1].is("("), tokens[index + 2].kind == .name {
      probe.argument = tokens[index + 2].text
    }
    return probe
  }
}

extension ArraySlice<LuaToken> {
  fileprivate func ends(with words: String...) -> Bool {
    count >= words.count && zip(suffix(words.count), words).allSatisfy { $0.is($1) }
  }
}
