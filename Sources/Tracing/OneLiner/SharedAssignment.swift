import Support

/// An assignment to a name that actions share: `calls = calls + 1`.
struct SharedAssignment {
  let name: String
  private let tokens: TokenList
  /// Behind the `=`.
  private let values: Int
  /// Which of the values is the name's; nil in a list that also assigns to other things than names.
  private let number: Int?

  /// The assignment to the name at an index; nil where it is read, or declared as a local one.
  init?(_ tokens: TokenList, _ index: Int) {
    func token(_ index: Int) -> LuaToken? { tokens.indices.contains(index) ? tokens[index] : nil }
    var (last, first) = (index, index)
    while token(last + 1)?.is(",") == true, token(last + 2)?.kind == .name { last += 2 }
    guard token(last + 1)?.is("=") == true else { return nil }
    while token(first - 1)?.is(",") == true, token(first - 2)?.kind == .name { first -= 2 }
    let before = token(first - 1)
    if before?.is("local") == true || before?.is("for") == true { return nil }
    name = tokens[index].text
    self.tokens = tokens
    values = last + 2
    number = before?.is(",") == true ? nil : (index - first) / 2
  }

  /// Whether what is assigned is true or false, not a number.
  func isTruth(_ isTruth: @escaping (String) -> Bool) -> Bool {
    guard let number else { return false }
    var reader = TruthReader(tokens, at: values, isTruth: isTruth)
    return reader.expression(number) ?? false
  }

  /// The names to which nothing but truth values is assigned.
  static func truths(_ assignments: [SharedAssignment]) -> Set<String> {
    var truths = Set(assignments.map(\.name))
    var count = 0
    repeat {
      count = truths.count
      let known = truths
      for assignment in assignments where !assignment.isTruth(known.contains) { truths.remove(assignment.name) }
    } while truths.count < count
    return truths
  }
}
