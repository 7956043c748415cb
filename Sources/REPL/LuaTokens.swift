/// A Lua token, as far as completion needs to know it.
enum LuaToken: Equatable {
  /// A name or keyword.
  case word(String)
  /// The contents of a string; `isOpen`: its end is still to come.
  case string(String, isOpen: Bool)
  case symbol(Character)
  /// A number, or a comment that is still open.
  case other
}

extension LuaToken {
  /// The tokens of a text, which may break off anywhere.
  static func tokens(of text: String) -> [LuaToken] {
    var scanner = Scanner(rest: text[...])
    var tokens: [LuaToken] = []
    while let token = scanner.next() { tokens.append(token) }
    return tokens
  }

  private struct Scanner {
    var rest: Substring

    mutating func next() -> LuaToken? {
      while true {
        rest = rest.drop(while: \.isWhitespace)
        guard let first = rest.first else { return nil }
        if rest.hasPrefix("--") {
          if !skipComment() { return .other }
        } else if first == "\"" || first == "'" {
          return quoted(first)
        } else if let close = longBracket(rest) {
          return long(close)
        } else if first.isLetter || first == "_" {
          return .word(take { $0.isLetter || $0.isNumber || $0 == "_" })
        } else if first.isNumber {
          _ = take { $0.isLetter || $0.isNumber || $0 == "." }
          return .other
        } else {
          return .symbol(rest.removeFirst())
        }
      }
    }

    private mutating func take(while condition: (Character) -> Bool) -> String {
      let text = rest.prefix(while: condition)
      rest = rest[text.endIndex...]
      return String(text)
    }

    /// False when the text ends inside of it.
    private mutating func skipComment() -> Bool {
      rest = rest.dropFirst(2)
      if let close = longBracket(rest) {
        if case .string(_, isOpen: true) = long(close) { return false }
        return true
      }
      _ = take { !$0.isNewline }
      return !rest.isEmpty
    }

    private mutating func quoted(_ quote: Character) -> LuaToken {
      rest.removeFirst()
      var text = ""
      while let character = rest.popFirst() {
        if character == quote { return .string(text, isOpen: false) }
        if character.isNewline { return .other }
        text.append(character)
        if character == "\\", let escaped = rest.popFirst() { text.append(escaped) }
      }
      return .string(text, isOpen: true)
    }

    /// What closes the `[[` or `[==[` that the text begins with; nil when it begins with none.
    private func longBracket(_ text: Substring) -> String? {
      guard text.first == "[" else { return nil }
      let level = text.dropFirst().prefix { $0 == "=" }
      return text.dropFirst(1 + level.count).first == "[" ? "]\(level)]" : nil
    }

    private mutating func long(_ close: String) -> LuaToken {
      rest = rest.dropFirst(close.count)
      guard let end = rest.firstRange(of: close) else {
        defer { rest = "" }
        return .string(String(rest), isOpen: true)
      }
      defer { rest = rest[end.upperBound...] }
      return .string(String(rest[..<end.lowerBound]), isOpen: false)
    }
  }
}
