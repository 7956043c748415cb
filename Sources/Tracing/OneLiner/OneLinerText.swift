import Support

/// Builds a Lua script in which each token of the command line has a line of its own, so that whatever Lua and the
/// compiler say of a line is said of a token.
struct OneLinerText {
  private(set) var text = ""
  private(set) var places = ScriptPlaces()

  /// Lua of the script's own.
  mutating func append(_ lua: String, for part: String? = nil) {
    write(lua, part.map { ScriptPlaces.Place(part: $0) })
  }

  /// Tokens of a part of the command line; `renamed` says what stands for a token, nil for itself.
  mutating func append(_ tokens: TokenList, of part: OneLinerPart, renamed: (Int) -> String? = { _ in nil }) {
    for index in tokens.indices {
      write(renamed(index) ?? tokens[index].text, part.place(of: tokens[index]))
    }
  }

  private mutating func write(_ lua: String, _ place: ScriptPlaces.Place?) {
    text += lua + "\n"
    places.places += repeatElement(place, count: 1 + lua.utf8.count { $0 == UInt8(ascii: "\n") })
  }
}

/// An action or filter as it stands on the command line.
struct OneLinerPart {
  /// What errors call it: `action 2`.
  let name: String
  let text: String
  let tokens: TokenList

  init(_ name: String, _ text: String) {
    self.name = name
    self.text = text
    tokens = Self.withKeywordMembers(LuaToken.all(in: text).filter { $0.kind != .comment })[...]
  }

  /// Takes `args.function` for `args["function"]`: some tracepoints call arguments what Lua calls something else.
  private static func withKeywordMembers(_ tokens: [LuaToken]) -> [LuaToken] {
    var result: [LuaToken] = []
    for token in tokens {
      guard token.kind == .keyword, let dot = result.last, dot.is(".") else {
        result.append(token)
        continue
      }
      result.removeLast()
      result.append(LuaToken(kind: .symbol, text: "[", offset: dot.offset))
      result.append(LuaToken(kind: .string, text: "\"\(token.text)\"", offset: token.offset))
      result.append(LuaToken(kind: .symbol, text: "]", offset: token.offset))
    }
    return result
  }

  func place(of token: LuaToken) -> ScriptPlaces.Place {
    let before = text.utf8.prefix(token.offset)
    let newline = UInt8(ascii: "\n")
    let start = before.lastIndex(of: newline).map { text.utf8.index(after: $0) } ?? text.startIndex
    let isLong = text.utf8.contains(newline)
    return ScriptPlaces.Place(
      part: name, line: isLong ? 1 + before.count { $0 == newline } : nil,
      column: 1 + text[start..<before.endIndex].count, token: token.text)
  }
}
