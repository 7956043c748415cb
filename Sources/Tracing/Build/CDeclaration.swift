/// A declaration at the top level of C text, and the comments that document it.
struct CDeclaration: Equatable {
  /// Variables (maps among them), or a function.
  var names: [String]
  /// The struct or union that it defines, as C names the type: `struct event`, and a typedef's name.
  var records: [String]
  var comments: [DocumentationComment]
  /// Where it begins.
  var line: Int

  /// All declarations of a text.
  ///
  /// As in clang, a comment documents the declaration that follows it, unless a directive stands between, or another comment
  /// that does not adjoin it.
  static func all(in text: [UInt8]) -> [CDeclaration] {
    var reader = CDeclarationReader(text)
    return reader.read()
  }
}

/// Finds where declarations begin and end, looking only at what is outside of brackets.
private struct CDeclarationReader {
  private var scanner: CScanner
  private var declarations: [CDeclaration] = []
  private var comments: [DocumentationComment] = []
  private var parts: [CPart] = []
  private var firstLine = 0

  init(_ text: [UInt8]) {
    scanner = CScanner(text)
  }

  mutating func read() -> [CDeclaration] {
    while let token = scanner.next() {
      switch token {
      case .comment(let comment): take(comment)
      case .directive: if parts.isEmpty { comments = [] }
      case .word(let word): append(.word(word))
      case .literal: append(.literal)
      case .mark(UInt8(ascii: ";")): finish()
      case .mark(let mark): take(mark)
      }
    }
    return declarations
  }

  private mutating func take(_ comment: DocumentationComment) {
    if comment.isTrailing {
      if parts.isEmpty, !declarations.isEmpty { declarations[declarations.count - 1].comments.append(comment) }
      return
    }
    if parts.isEmpty, let last = comments.last, comment.lines[0].number > last.lastLine + 1 { comments = [] }
    comments.append(comment)
  }

  private mutating func take(_ mark: UInt8) {
    switch mark {
    case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
      let isBody = mark == UInt8(ascii: "{") && CPart.withoutAttributes(parts).last?.isParentheses == true
      append(.group(mark, firstWord: skipGroup()))
      if isBody { finish() }
    default: append(.mark(mark))
    }
  }

  /// Passes everything up to the bracket that closes the one just read; the first word in it.
  private mutating func skipGroup() -> String? {
    var depth = 1
    var first: String?
    while depth > 0, let token = scanner.next() {
      switch token {
      case .word(let word): first = first ?? word
      case .mark(UInt8(ascii: "(")), .mark(UInt8(ascii: "[")), .mark(UInt8(ascii: "{")): depth += 1
      case .mark(UInt8(ascii: ")")), .mark(UInt8(ascii: "]")), .mark(UInt8(ascii: "}")): depth -= 1
      default: break
      }
    }
    return first
  }

  private mutating func append(_ part: CPart) {
    if parts.isEmpty { firstLine = scanner.line }
    parts.append(part)
  }

  private mutating func finish() {
    let own = CPart.withoutAttributes(parts)
    declarations.append(
      CDeclaration(names: CPart.names(own), records: CPart.records(own), comments: comments, line: firstLine))
    (parts, comments) = ([], [])
  }
}

/// What a declaration is made of, brackets and what is in them being one part.
private enum CPart: Equatable {
  case word(String)
  case literal
  case mark(UInt8)
  case group(UInt8, firstWord: String?)

  var isParentheses: Bool { if case .group(UInt8(ascii: "("), _) = self { true } else { false } }
  var isBraces: Bool { if case .group(UInt8(ascii: "{"), _) = self { true } else { false } }
  var isBrackets: Bool { if case .group(UInt8(ascii: "["), _) = self { true } else { false } }
  var word: String? { if case .word(let word) = self { word } else { nil } }

  /// Attributes, and macros that libbpf's headers have for them, with an argument …
  private static let attributesOfArguments: Set = [
    "__attribute__", "__attribute", "SEC", "__section", "__aligned", "_Alignas", "_Static_assert", "__uptr",
  ]
  /// … and without.
  private static let attributes: Set = [
    "__weak", "__hidden", "__ksym", "__kconfig", "__noinline", "__always_inline", "__packed", "__maybe_unused",
    "__unused",
  ]

  static func withoutAttributes(_ parts: [CPart]) -> [CPart] {
    var own: [CPart] = []
    var followsAttribute = false
    for part in parts {
      let isArgument = followsAttribute && part.isParentheses
      followsAttribute = part.word.map(attributesOfArguments.contains) ?? false
      if !isArgument, !followsAttribute, !(part.word.map(attributes.contains) ?? false) { own.append(part) }
    }
    return own
  }

  /// The function or the variables that a declaration declares.
  static func names(_ parts: [CPart]) -> [String] {
    if parts.first == .word("typedef") { return [] }
    let isDefinition = parts.count >= 2 && parts[parts.count - 1].isBraces && parts[parts.count - 2].isParentheses
    if isDefinition || parts.last?.isParentheses == true {
      return functionName(isDefinition ? parts.dropLast() : parts[...]).map { [$0] } ?? []
    }
    return parts.split(separator: .mark(UInt8(ascii: ","))).compactMap(variable)
  }

  /// `on_open` of `int BPF_KPROBE(on_open, …)`: a macro has the name as its first argument.
  private static func functionName(_ parts: ArraySlice<CPart>) -> String? {
    guard case .group(_, let firstWord)? = parts.last, let word = parts.dropLast().last?.word else { return nil }
    let isMacro = word.allSatisfy { $0.isUppercase || $0.isNumber || $0 == "_" }
    return isMacro ? firstWord ?? word : word
  }

  private static func variable(_ parts: ArraySlice<CPart>) -> String? {
    var declarator = parts.prefix { $0 != .mark(UInt8(ascii: "=")) }
    while declarator.last?.isBrackets == true { declarator.removeLast() }
    let isForward = declarator.count == 2 && recordWords.contains(declarator.first?.word ?? "")
    return isForward ? nil : declarator.last?.word
  }

  private static let recordWords: Set = ["struct", "union"]

  /// The struct or union that a declaration defines.
  static func records(_ parts: [CPart]) -> [String] {
    guard let body = parts.firstIndex(where: \.isBraces) else { return [] }
    let head = parts[..<body].compactMap(\.word)
    guard let keyword = head.lastIndex(where: recordWords.contains) else { return [] }
    let tags = head[(keyword + 1)...].suffix(1).map { "\(head[keyword]) \($0)" }
    return tags + (head.first == "typedef" ? parts.last?.word.map { [$0] } ?? [] : [])
  }
}
