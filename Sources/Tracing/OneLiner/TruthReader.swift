import Support

/// Reads expressions to see which have a truth value: comparisons, `not`, `true`, and what `and` and `or` make of these.
///
/// ```swift
/// var reader = TruthReader(tokens, at: index) { $0 == "odd" }  // calls % 2 == 1 or odd
/// reader.expression()  // true
/// ```
struct TruthReader {
  private let tokens: TokenList
  private var place: Int
  /// Whether a variable holds one.
  private let isTruth: (String) -> Bool

  init(_ tokens: TokenList, at start: Int, isTruth: @escaping (String) -> Bool) {
    self.tokens = tokens
    place = start
    self.isTruth = isTruth
  }

  private static let comparisons: Set<String> = ["==", "~=", "<", "<=", ">", ">="]
  private static let arithmetic: Set<String> = [
    "+", "-", "*", "/", "//", "%", "^", "..", "&", "|", "~", "<<", ">>",
  ]

  /// Reads one of the expressions between commas, the first being 0; nil when there are fewer.
  mutating func expression(_ number: Int) -> Bool? {
    for _ in 0..<number {
      _ = expression()
      guard take([","]) != nil else { return nil }
    }
    return expression()
  }

  mutating func expression() -> Bool {
    var truth = conjunction()
    while take(["or"]) != nil {
      let right = conjunction()
      truth = truth && right
    }
    return truth
  }

  /// Of a chain of `and` the last part is the value, where it is not false.
  private mutating func conjunction() -> Bool {
    var truth = comparison()
    while take(["and"]) != nil { truth = comparison() }
    return truth
  }

  private mutating func comparison() -> Bool {
    let first = operand()
    var (isCompared, isAlone) = (false, true)
    while let sign = take(Self.comparisons.union(Self.arithmetic)) {
      isCompared = isCompared || Self.comparisons.contains(sign)
      isAlone = false
      _ = operand()
    }
    return isAlone ? first : isCompared
  }

  private mutating func operand() -> Bool {
    if take(["not"]) != nil {
      _ = operand()
      return true
    }
    if take(["-", "#", "~"]) != nil {
      _ = operand()
      return false
    }
    guard place < tokens.endIndex else { return false }
    let start = place
    let truth = primary()
    let end = tokens.endOfSuffixes(from: place)
    defer { place = end }
    return end == place ? truth : tokens[start..<end].contains { $0.is("startswith") }
  }

  /// What stands before an operand's suffixes.
  private mutating func primary() -> Bool {
    let first = tokens[place]
    let end = first.is("(") || first.is("{") || first.is("function") ? tokens.closing(place) : place
    defer { place = end + 1 }
    if first.is("(") {
      var inner = TruthReader(tokens[..<end], at: place + 1, isTruth: isTruth)
      return inner.expression()
    }
    return first.is("true") || first.is("false") || first.kind == .name && isTruth(first.text)
  }

  /// Goes on behind one of these words; nil when none of them comes next.
  private mutating func take(_ words: Set<String>) -> String? {
    guard place < tokens.endIndex, words.contains(tokens[place].text), tokens[place].is(tokens[place].text) else {
      return nil
    }
    defer { place += 1 }
    return tokens[place].text
  }
}
