/// The tree that `clang -Xclang -ast-dump` prints, as far as the types of events need it.
///
/// A line is a node: marks that show its depth, its kind, its place, its type in quotes (and, where that is a typedef or
/// the like, `:` and what it stands for), and its name.
struct SyntaxTree {
  struct Node {
    /// `CallExpr`, `FunctionDecl`, …
    var kind: Substring
    /// Behind typedefs; empty when it has none.
    var type: Substring
    /// What a declaration or a reference is called; of a `sizeof`, its type; of an integer, its digits.
    var name: Substring
    /// `Var`, `ParmVar` or `Function`, of a reference.
    var referenceKind: Substring
    var parent: Int?
    var children: [Int] = []
  }

  private(set) var nodes: [Node] = []

  /// - Parameter dump: what clang printed. Only functions are read: a kernel's types are a hundred megabytes.
  init(dump: [UInt8]) {
    var open: [Int] = []
    var isInFunction = false
    var start = dump.startIndex
    while start < dump.endIndex {
      let end = dump[start...].firstIndex(of: UInt8(ascii: "\n")) ?? dump.endIndex
      let line = dump[start..<end]
      start = min(end + 1, dump.endIndex)
      guard let first = line.firstIndex(where: { !Self.branchMarks.contains($0) }) else { continue }
      let depth = (first - line.startIndex) / 2
      if depth <= 1 { isInFunction = line[first...].starts(with: "FunctionDecl ".utf8) }
      if isInFunction { add(String(decoding: line[first...], as: UTF8.self), depth: depth - 1, &open) }
    }
  }

  private static let branchMarks = Set("|`- ".utf8)

  private mutating func add(_ line: String, depth: Int, _ open: inout [Int]) {
    open.removeLast(max(0, open.count - depth))
    var node = Self.node(line[...])
    node.parent = open.last
    if let parent = open.last { nodes[parent].children.append(nodes.count) }
    open.append(nodes.count)
    nodes.append(node)
  }

  private static func node(_ text: Substring) -> Node {
    let kind = text[..<(text.utf8.firstIndex(of: UInt8(ascii: " ")) ?? text.endIndex)]
    var node = Node(kind: kind, type: "", name: "", referenceKind: "")
    if kind == "IntegerLiteral" { node.name = text.split(separator: " ").last ?? "" }
    let isDeclaration = kind.hasSuffix("Decl")
    guard isDeclaration || kind.hasSuffix("Expr") || kind.hasSuffix("Operator") else { return node }
    let quotes = Quotes(text)
    node.type = quotes.type
    if isDeclaration {
      node.name = quotes.wordBefore
    } else if kind == "DeclRefExpr" || kind == "UnaryExprOrTypeTraitExpr" {
      (node.name, node.referenceKind) = (quotes.name, quotes.referenceKind)
    }
    return node
  }

  /// What stands in quotes in a line: the type, perhaps what it stands for, and what a reference is to.
  private struct Quotes {
    private(set) var type: Substring = ""
    private(set) var name: Substring = ""
    private(set) var referenceKind: Substring = ""
    /// The last word before the type.
    private(set) var wordBefore: Substring = ""

    init(_ text: Substring) {
      var rest = text
      var count = 0
      while let (before, quoted, after) = Self.next(rest) {
        let isResolved = count > 0 && before == ":"
        if count == 0 {
          (type, wordBefore) = (quoted, before.split(separator: " ").last ?? "")
        } else if isResolved, name.isEmpty {
          type = quoted
        } else if !isResolved {
          name = quoted
          // `lvalue Var 0x55ab 'events'`
          let words = before.split(separator: " ")
          referenceKind = words.count >= 2 ? words[words.count - 2] : ""
          return
        }
        count += 1
        rest = after
      }
    }

    private static func next(_ text: Substring) -> (before: Substring, quoted: Substring, after: Substring)? {
      let quote = UInt8(ascii: "'")
      guard let open = text.utf8.firstIndex(of: quote) else { return nil }
      let first = text.utf8.index(after: open)
      guard let close = text[first...].utf8.firstIndex(of: quote) else { return nil }
      return (text[..<open], text[first..<close], text[text.utf8.index(after: close)...])
    }
  }
}

// Walking.
extension SyntaxTree {
  /// The functions that are defined, each declaration of one on its own.
  var functions: [Int] {
    nodes.indices.filter { index in
      nodes[index].parent == nil && nodes[index].children.contains { nodes[$0].kind == "CompoundStmt" }
    }
  }

  /// All nodes below one, in the order of the text.
  func descendants(of root: Int) -> [Int] {
    var found: [Int] = []
    var pending = Array(nodes[root].children.reversed())
    while let index = pending.popLast() {
      found.append(index)
      pending += nodes[index].children.reversed()
    }
    return found
  }

  private static let wrappers: Set<Substring> = ["ImplicitCastExpr", "CStyleCastExpr", "ParenExpr"]

  /// Whether it is a cast or a pair of parentheses.
  func isWrapper(_ index: Int) -> Bool { Self.wrappers.contains(nodes[index].kind) }

  /// An expression, and what it is without each of its casts, parentheses and `&`.
  func unwrapped(_ index: Int) -> [Int] {
    var chain = [index]
    while let last = chain.last, isWrapper(last) || nodes[last].kind == "UnaryOperator",
      let inner = nodes[last].children.first
    {
      chain.append(inner)
    }
    return chain
  }

  /// The casts around an expression, innermost first.
  func casts(around index: Int) -> [Int] {
    var chain: [Int] = []
    var current = nodes[index].parent
    while let outer = current, isWrapper(outer) {
      chain.append(outer)
      current = nodes[outer].parent
    }
    return chain
  }
}
