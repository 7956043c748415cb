/// Writes types as C does, from the inside out.
///
/// A declarator wraps what stands around it: a pointer puts `*` before, an array `[n]` behind, until a type with a
/// name is reached.
struct TypeSpeller {
  let graph: TypeGraph
  /// Types still to be visited: hostile blobs nest without end.
  private var allowance = 256

  init(graph: TypeGraph) {
    self.graph = graph
  }

  mutating func spell(_ id: TypeID, around inner: String) -> String {
    allowance -= 1
    guard allowance >= 0 else { return Self.join("...", inner) }
    guard let record = graph.record(id) else { return Self.join(id == 0 ? "void" : "?", inner) }
    let name = graph.text(at: record.nameOffset)
    switch record.kind {
    case .void, .integer, .float, .typedef, .dataSection, .declarationTag:
      return Self.join(name, inner)
    case .struct, .union, .enum, .enum64:
      return Self.join("\(record.kind) \(name.isEmpty ? "{...}" : name)", inner)
    case .forward:
      return Self.join("\(record.flag ? "union" : "struct") \(name)", inner)
    case .pointer:
      return spellPointer(to: record.sizeOrType, around: inner)
    case .array:
      let count = record.word(2)
      return spell(record.word(0), around: "\(inner)[\(count == 0 ? "" : String(count))]")
    case .const, .volatile, .restrict:
      return spellQualifier("\(record.kind)", of: record.sizeOrType, around: inner)
    case .typeTag:
      return spell(record.sizeOrType, around: inner)
    case .prototype:
      return spell(record.sizeOrType, around: "\(inner)(\(spellParameters(of: record)))")
    case .function, .variable:
      return spell(record.sizeOrType, around: name)
    }
  }

  private mutating func spellPointer(to target: TypeID, around inner: String) -> String {
    switch graph.kind(of: target) {
    case .array, .prototype: spell(target, around: "(*\(inner))")
    default: spell(target, around: "*\(inner)")
    }
  }

  /// `char *const` when a pointer is qualified, `const char` when anything else is.
  private mutating func spellQualifier(_ qualifier: String, of target: TypeID, around inner: String) -> String {
    if graph.kind(of: graph.behindQualifiers(target)) == .pointer {
      return spell(target, around: Self.join(qualifier, inner))
    }
    return "\(qualifier) \(spell(target, around: inner))"
  }

  private mutating func spellParameters(of prototype: TypeGraph.TypeRecord) -> String {
    var parameters: [String] = []
    for index in 0..<prototype.count where allowance >= 0 {
      let parameter = prototype.parameter(index)
      parameters.append(parameter.isEllipsis ? "..." : spell(parameter.type, around: ""))
    }
    return parameters.isEmpty ? "void" : parameters.joined(separator: ", ")
  }

  private static func join(_ left: String, _ right: String) -> String {
    right.isEmpty || right.hasPrefix("[") ? left + right : "\(left) \(right)"
  }
}

extension TypeGraph {
  /// The type behind `const`, `volatile`, `restrict` and type tags, but not behind typedefs.
  fileprivate func behindQualifiers(_ id: TypeID) -> TypeID {
    var id = id
    for _ in 0..<Self.maximumChain {
      guard let record = record(id), record.kind.isTransparent, record.kind != .typedef else { return id }
      id = record.sizeOrType
    }
    return 0
  }
}
