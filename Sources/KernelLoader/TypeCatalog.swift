import BTF
import Support

/// The running kernel's types by what C calls them, those of loaded modules included: for listings and completion.
public enum TypeCatalog {
  /// The words that a type's name begins with, and the kinds they stand for.
  private static let words: [(word: String, kinds: [TypeKind])] = [
    ("struct", [.struct]), ("union", [.union]), ("enum", [.enum, .enum64]), ("typedef", [.typedef]),
  ]

  /// Whether a text is meant as a type: `struct sock`, `enum*`.
  public static func isType(_ pattern: String) -> Bool { parts(pattern) != nil }

  /// The names of types that match, sorted: `struct task_*` gives `struct task_struct`, ….
  ///
  /// - Throws: `.unsupported` when the kernel has no types.
  public static func names(matching pattern: String) throws(MoontraceError) -> [String] {
    guard let (word, kinds, name) = parts(pattern) else { return [] }
    let graph = try KernelTypes.graph()
    let glob = Glob(name)
    return Set(kinds.flatMap { graph.names($0) }.lazy.filter(glob.matches)).sorted().map { "\(word) \($0)" }
  }

  /// A type as C defines it, with the offsets of its members in bytes (and bits). A name without a word before it may
  /// be of any kind.
  ///
  /// - Throws: `.scriptFailed` with a suggestion when there is no such type.
  public static func definition(of name: String) throws(MoontraceError) -> String {
    let (graph, type) = try find(name)
    return graph.definition(of: type)
  }

  private static func parts(_ pattern: String) -> (word: String, kinds: [TypeKind], name: String)? {
    let pieces = pattern.split(separator: " ")
    guard let first = pieces.first, let entry = words.first(where: { $0.word == first }), pieces.count <= 2 else {
      return nil
    }
    return (entry.word, entry.kinds, pieces.count == 2 ? String(pieces[1]) : "*")
  }

  private static func find(_ text: String) throws(MoontraceError) -> (TypeGraph, TypeID) {
    if !text.contains(" "), !isType(text) { return try findOfAnyKind(text) }
    guard let (word, kinds, name) = parts(text) else {
      throw MoontraceError(
        .usage, "'\(text)' is no type", remedy: "write struct NAME, union NAME, enum NAME or typedef NAME")
    }
    if let found = try find(name, kinds) { return found }
    let hint = hint(name, word, try KernelTypes.graph())
    throw MoontraceError(.scriptFailed, "the kernel has no \(word) '\(name)'\(hint)")
  }

  private static func findOfAnyKind(_ name: String) throws(MoontraceError) -> (TypeGraph, TypeID) {
    let kinds = words.flatMap(\.kinds)
    if let found = try find(name, kinds) { return found }
    let kernel = try KernelTypes.graph()
    let hint = suggestionHint(for: name, in: kinds.flatMap { kernel.names($0) })
    throw MoontraceError(.scriptFailed, "the kernel has no type '\(name)'\(hint)")
  }

  /// In the kernel, else in its modules.
  private static func find(_ name: String, _ kinds: [TypeKind]) throws(MoontraceError) -> (TypeGraph, TypeID)? {
    let kernel = try KernelTypes.graph()
    for kind in kinds {
      if let type = kernel.find(name, kind) { return (kernel, type) }
    }
    for module in KernelTypes.moduleNames() {
      guard let graph = try? KernelTypes.module(module) else { continue }
      for kind in kinds {
        if let type = graph.find(name, kind) { return (graph, type) }
      }
    }
    return nil
  }

  private static func hint(_ name: String, _ word: String, _ graph: TypeGraph) -> String {
    for (other, kinds) in words where other != word {
      if kinds.contains(where: { graph.find(name, $0) != nil }) { return " (did you mean '\(other) \(name)'?)" }
    }
    let kinds = words.first { $0.word == word }?.kinds ?? []
    return suggestionHint(for: name, in: kinds.flatMap { graph.names($0) })
  }
}
