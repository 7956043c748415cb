/// What the columns of a one-liner are called: by the text of their expressions, without what goes without saying.
///
/// ```swift
/// ColumnNames.of(list)  // pid, str(args.filename), (nsecs - start[tid]) // 1000: pid filename (nsecs-start)//1000
/// ```
enum ColumnNames {
  /// Functions that show their argument in another form.
  private static let forms: Set<String> = ["str", "kstr", "buf", "ksym", "usym", "ntop"]

  /// A name for each expression, all of them different: of two that are called alike the second gets the member before
  /// its name as well (`real_parent_tgid`), and if that does not help, a number.
  static func of(_ expressions: [TokenList]) -> [String] {
    var taken: Set<String> = []
    return expressions.map { expression in
      let plain = name(of: expression)
      let candidates = [plain, longer(plain, expression)] + (2...(expressions.count + 1)).map { "\(plain)_\($0)" }
      let name = candidates.first { !taken.contains($0) } ?? plain
      taken.insert(name)
      return name
    }
  }

  static func name(of expression: TokenList) -> String {
    let parts = parts(of: expression)
    if parts.count == 1, let only = parts.first {
      return only.first?.is("(") == true && only.closing(only.startIndex) == only.endIndex - 1
        ? name(of: only.dropFirst().dropLast()) : name(ofOperand: only)
    }
    return joined(parts.map { $0.first?.is("(") == true && isWhole($0) ? "(\(inner($0)))" : name(ofOperand: $0) })
  }

  private static func isWhole(_ part: TokenList) -> Bool { part.closing(part.startIndex) == part.endIndex - 1 }

  private static func inner(_ part: TokenList) -> String {
    joined(parts(of: part.dropFirst().dropLast()).map { name(of: $0) })
  }

  /// Operands, and the operators between them.
  private static func parts(of expression: TokenList) -> [TokenList] {
    var parts: [TokenList] = []
    var index = expression.startIndex
    while index < expression.endIndex {
      let token = expression[index]
      let start = token.is("(") || token.is("{") ? expression.closing(index) + 1 : index + 1
      let isOperand = token.kind == .name || token.is("(")
      let end = isOperand ? expression.endOfSuffixes(from: start) : start
      parts.append(expression[index..<end])
      index = end
    }
    return parts
  }

  /// `args.ret` is `ret`, `start[tid]` is `start`, `str(args.filename)` is `filename`, `kstack(3)` is `kstack`.
  private static func name(ofOperand operand: TokenList) -> String {
    guard let first = operand.first, operand.count > 1 else { return operand.first?.text ?? "" }
    var (name, index) = (first.is("(") ? "" : first.text, operand.startIndex + 1)
    if first.is("(") { index = operand.closing(operand.startIndex) + 1 }
    if first.is("{") { return "{\(inner(operand))}" }
    while index < operand.endIndex, let end = operand.suffix(at: index) {
      name = self.name(name, behind: operand[index..<end])
      index = end
    }
    return name
  }

  /// What a name becomes by a suffix.
  private static func name(_ name: String, behind suffix: TokenList) -> String {
    let inner = suffix.dropFirst()
    switch suffix.first?.text {
    case ".", ":": return inner.first?.text ?? name
    case "[" where suffix.count == 3 && inner.first?.kind == .number: return name + suffix.map(\.text).joined()
    case "[" where suffix.count == 3 && inner.first?.kind == .string:
      return inner.first.map { String($0.text.dropFirst().dropLast()) } ?? name
    case "(" where forms.contains(name): return inner.dropLast().split().first.map { self.name(of: $0) } ?? name
    default: return name
    }
  }

  /// Words keep a blank between them.
  private static func joined(_ parts: [String]) -> String {
    var text = ""
    for part in parts {
      if let last = text.last, let first = part.first, isWord(last), isWord(first) { text += " " }
      text += part
    }
    return text
  }

  private static func isWord(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }

  /// With the name before the last member: `curtask.real_parent.tgid` is `real_parent_tgid`.
  private static func longer(_ name: String, _ expression: TokenList) -> String {
    let index = expression.indices.last { expression[$0].text == name && $0 >= expression.startIndex + 2 }
    guard let index, expression[index - 1].is("."), expression[index - 2].kind == .name else { return name }
    return "\(expression[index - 2].text)_\(name)"
  }
}
