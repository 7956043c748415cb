import BTF
import Support

/// The running kernel's types by what C calls them, those of loaded modules included: for listings and completion.
public enum TypeCatalog {
  /// What a type is called, and where it is from.
  public struct Name: Hashable, Sendable {
    /// `struct task_struct`.
    public var text: String
    /// The module that brings it along; nil for the kernel's own.
    public var module: String?
  }

  /// The words that a type's name begins with, and the kinds they stand for.
  private static let words: [(word: String, kinds: [TypeKind])] = [
    ("struct", [.struct]), ("union", [.union]), ("enum", [.enum, .enum64]), ("typedef", [.typedef]),
  ]

  /// Whether a text is meant as a type: `struct sock`, `enum*`.
  public static func isType(_ pattern: String) -> Bool { parts(pattern) != nil }

  /// The names of types that match, sorted: `struct task_*` gives `struct task_struct`, ….
  ///
  /// - Throws: `.unsupported` when the kernel has no types.
  public static func names(matching pattern: String) throws(MoontraceError) -> [Name] {
    guard let (word, kinds, name) = parts(pattern) else { return [] }
    let glob = Glob(name)
    var names: Set<Name> = []
    for (graph, module) in try graphs() {
      for kind in kinds {
        names.formUnion(
          graph.ownNames(kind).lazy.filter(glob.matches).map { Name(text: "\(word) \($0)", module: module) })
      }
    }
    return names.sorted { ($0.text, $0.module ?? "") < ($1.text, $1.module ?? "") }
  }

  /// The names of types of any kind that begin so, without the words before them, sorted.
  ///
  /// - Throws: `.unsupported` when the kernel has no types.
  public static func names(startingWith start: String) throws(MoontraceError) -> [String] {
    var names: Set<String> = []
    for (graph, _) in try graphs() {
      for kind in words.flatMap(\.kinds) { names.formUnion(graph.ownNames(kind).lazy.filter { $0.hasPrefix(start) }) }
    }
    return names.sorted()
  }

  /// A type as C defines it, with the offsets of its members in bytes (and bits), below a comment that names the module
  /// when it is not the kernel's own. A name without a word before it may be of any kind.
  ///
  /// - Throws: `.scriptFailed` with a suggestion when there is no such type.
  public static func definition(of name: String) throws(MoontraceError) -> String {
    let (graph, module, type) = try find(name)
    return (module.map { "/* module \($0) */\n" } ?? "") + graph.definition(of: type)
  }

  private static func parts(_ pattern: String) -> (word: String, kinds: [TypeKind], name: String)? {
    let pieces = pattern.split(separator: " ")
    guard let first = pieces.first, let entry = words.first(where: { $0.word == first }), pieces.count <= 2 else {
      return nil
    }
    return (entry.word, entry.kinds, pieces.count == 2 ? String(pieces[1]) : "*")
  }

  private typealias Place = (graph: TypeGraph, module: String?)

  /// The kernel's types, then those of each module that has some.
  private static func graphs() throws(MoontraceError) -> [Place] {
    let modules = KernelTypes.moduleNames()
    return [(try KernelTypes.graph(), nil)]
      + modules.compactMap { name in (try? KernelTypes.module(name)).map { ($0, name) } }
  }

  private static func find(_ text: String) throws(MoontraceError) -> (TypeGraph, module: String?, TypeID) {
    let isBare = !text.contains(" ") && !isType(text)
    guard let (word, kinds, name) = isBare ? ("type", words.flatMap(\.kinds), text) : parts(text) else {
      throw MoontraceError(
        .usage, "'\(text)' is no type", remedy: "write struct NAME, union NAME, enum NAME or typedef NAME")
    }
    let kernel = try KernelTypes.graph()
    // Only for what the kernel lacks are the modules' types read.
    if let type = kinds.lazy.compactMap({ kernel.findOwn(name, $0) }).first { return (kernel, nil, type) }
    let graphs = try graphs()
    for (graph, module) in graphs {
      if let type = kinds.lazy.compactMap({ graph.findOwn(name, $0) }).first { return (graph, module, type) }
    }
    let hint = hint(name, word, kinds, graphs)
    throw MoontraceError(.scriptFailed, "the kernel has no \(word) '\(name)'\(hint)")
  }

  private static func hint(_ name: String, _ word: String, _ kinds: [TypeKind], _ graphs: [Place]) -> String {
    for (other, others) in words where !others.allSatisfy(kinds.contains) {
      let isThere = graphs.contains { place in others.contains { place.graph.findOwn(name, $0) != nil } }
      if isThere { return " (did you mean '\(other) \(name)'?)" }
    }
    return suggestionHint(for: name, in: graphs.flatMap { place in kinds.flatMap { place.graph.ownNames($0) } })
  }
}
