import Support

/// Questions about a run of tokens that Lua's parser has found to be expressions.
typealias TokenList = ArraySlice<LuaToken>

extension TokenList {
  private static let openers: Set<String> = ["(", "[", "{", "function", "if", "do", "repeat"]
  private static let closers: Set<String> = [")", "]", "}", "end", "until"]

  /// By how much a token changes how deep one is inside brackets and blocks.
  private static func step(_ token: LuaToken) -> Int {
    if token.kind == .string { return 0 }
    return openers.contains(token.text) ? 1 : closers.contains(token.text) ? -1 : 0
  }

  /// The parts between commas (and semicolons) that stand in no brackets; empty ones are left out.
  func split() -> [TokenList] {
    var parts: [TokenList] = []
    var (depth, start) = (0, startIndex)
    for index in indices {
      if depth == 0, self[index].is(",") || self[index].is(";") {
        parts.append(self[start..<index])
        start = index + 1
      }
      depth += Self.step(self[index])
    }
    return (parts + [self[start...]]).filter { !$0.isEmpty }
  }

  /// The index of the bracket that closes the one at `index`; that of the last token when none does.
  func closing(_ index: Int) -> Int {
    var depth = 0
    for place in index..<endIndex {
      depth += Self.step(self[place])
      if depth == 0 { return place }
    }
    return endIndex - 1
  }

  /// Where what stands behind the expression's first name ends: members, indices and calls.
  func endOfSuffixes(from start: Int) -> Int {
    var end = start
    while end < endIndex, let suffix = suffix(at: end) { end = suffix }
    return end
  }

  /// The index behind a suffix such as `.name`, `[i]`, `:f(…)`, `(…)`, `"text"` or `{…}`; nil when none stands there.
  func suffix(at index: Int) -> Int? {
    let token = self[index]
    if token.is("."), index + 1 < endIndex { return index + 2 }
    if token.is(":"), index + 2 < endIndex { return suffix(at: index + 2) }
    if token.is("(") || token.is("[") || token.is("{") { return closing(index) + 1 }
    return token.kind == .string ? index + 1 : nil
  }
}
