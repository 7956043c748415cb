/// What the documentation comments of a program's files say, by what they document.
struct SourceAnnotations {
  /// Of variables, maps and functions.
  private var declared: [String: [Annotation]] = [:]
  private var records: [String: [Annotation]] = [:]
  /// The structs and unions that the files define, in their order, as C names them.
  private(set) var recordNames: [String] = []
  /// Where variables, maps and functions are declared.
  private var places: [String: String] = [:]

  init(_ files: [CompiledProgram.SourceFile]) {
    for file in files {
      for declaration in CDeclaration.all(in: file.text) { add(declaration, in: file.path) }
    }
  }

  private mutating func add(_ declaration: CDeclaration, in file: String) {
    let annotations = Annotation.all(in: declaration.comments, file: file)
    for name in declaration.names {
      declared[name, default: []] += annotations
      places[name] = places[name] ?? "\(file):\(declaration.line)"
    }
    for name in declaration.records where !recordNames.contains(name) {
      recordNames.append(name)
      records[name] = annotations
    }
  }

  /// Of a variable, a map or a function.
  func of(_ name: String) -> [Annotation] { declared[name] ?? [] }

  /// Where it is declared: `file:line`.
  func place(of name: String) -> String? { places[name] }

  /// Variables, maps and functions that have annotations.
  var annotatedNames: [String] { declared.filter { !$0.value.isEmpty }.keys.sorted() }

  /// The structs that have `@export`, as C names them.
  var exportedTypes: [String] {
    recordNames.filter { name in records[name]?.contains { $0.key == "export" } ?? false }
  }

  /// A type as C names it, for its name alone: `struct event` for `event`, if the files define one.
  func spelling(of name: String) -> String {
    if name.contains(" ") { return name }
    return ["struct \(name)", "union \(name)"].first(where: recordNames.contains) ?? name
  }
}
