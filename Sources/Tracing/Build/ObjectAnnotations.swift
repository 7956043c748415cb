import KernelLoader
import Packages
import Support

/// Turns annotations into the fields of a package, checked as the reader of packages checks them.
///
/// An annotation that is wrong is an error at its own line, and one that may be misspelled a warning.
struct ObjectAnnotations {
  let source: SourceAnnotations
  /// What is suspicious, but does no harm.
  private(set) var warnings: [MoontraceError] = []
  private var used: Set<String> = []

  init(_ source: SourceAnnotations) {
    self.source = source
  }

  /// The fields that a variable's comment gives it, beside those that it has.
  mutating func apply(to variable: PackagedVariable) throws(MoontraceError) -> PackagedVariable {
    let own: [JSONMember] = [.init("name", .string(variable.name)), .init("type", .string(variable.type))]
    let annotations = take(variable.name, AnnotationKey.variable)
    var made = try model(annotations, own, .variable).skeleton.sections[0].variables[0]
    try check(made.argument, annotations)
    made.value = made.value ?? variable.value
    return made
  }

  /// The fields that a map's comment gives it. `@export_config struct event` is left out: it names a type.
  mutating func apply(to map: PackagedMap) throws(MoontraceError) -> PackagedMap {
    let own: [JSONMember] = [
      .init("name", .string(map.name)), .init("ident", .string(map.identifier)),
      .init("mmaped", .boolean(map.isMapped)),
    ]
    let annotations = take(map.name, AnnotationKey.map).filter { exportedType($0) == nil }
    return try model(annotations, own, .map).skeleton.maps[0]
  }

  /// The fields that a program's comment gives it.
  ///
  /// - Parameter misfit: why it can't be attached to a place; nil when it can.
  mutating func apply(
    to program: PackagedProgram, misfit: @escaping (AttachSpec) -> MoontraceError? = { _ in nil }
  ) throws(MoontraceError) -> PackagedProgram {
    let own: [JSONMember] = [.init("name", .string(program.name)), .init("attach", .string(program.section))]
    let annotations = take(program.name, AnnotationKey.program)
    let rules = ProgramAnnotations(misfit: misfit)
    for annotation in annotations { try rules.check(annotation) }
    warnings += annotations.compactMap(rules.warning)
    return try model(annotations, own, .program).skeleton.programs[0]
  }

  /// What the comment at the license says; the variable may be called as the program likes.
  mutating func documentation(license: String?) throws(MoontraceError) -> Documentation {
    let annotations = take(license ?? "LICENSE", AnnotationKey.license)
    return try model(annotations, [], .documentation).skeleton.documentation
  }

  /// The type that `@export_config struct event` gives a map.
  func exportedType(of map: String) -> String? {
    source.of(map).lazy.compactMap(exportedType).first
  }

  private func exportedType(_ annotation: Annotation) -> String? {
    guard annotation.key == "export_config", !annotation.text.hasPrefix("{") else { return nil }
    let text = annotation.text.hasPrefix("\"") ? String(annotation.text.dropFirst().dropLast()) : annotation.text
    let spelling = source.spelling(of: text)
    return spelling.hasPrefix("struct ") || spelling.hasPrefix("union ") || source.recordNames.contains(spelling)
      ? spelling : nil
  }

  /// Warns of annotations on what the object does not have.
  mutating func finish() {
    for name in source.annotatedNames where !used.contains(name) {
      guard let annotation = source.of(name).first(where: { AnnotationKey.binding.contains($0.key) }) else { continue }
      warnings.append(
        MoontraceError(
          .scriptFailed, "@\(annotation.key) is on '\(name)', which is no variable, map or program of the object",
          location: annotation.place))
    }
  }

  // MARK: Reading

  private mutating func take(_ name: String, _ keys: [String]) -> [Annotation] {
    used.insert(name)
    let annotations = source.of(name)
    for annotation in annotations where !keys.contains(annotation.key) {
      guard let near = suggestion(for: annotation.key, in: keys) else { continue }
      warnings.append(
        MoontraceError(
          .scriptFailed, "@\(annotation.key) is no annotation that is known here (did you mean '@\(near)'?)",
          location: annotation.place))
    }
    return annotations
  }

  private enum Place: String {
    case variable = "bpf_skel.data_sections[0].variables[0]."
    case map = "bpf_skel.maps[0]."
    case program = "bpf_skel.progs[0]."
    case documentation = "bpf_skel.doc."

    /// A package's `meta` with one thing in it.
    func meta(_ fields: [JSONMember]) -> JSONValue {
      let object = JSONValue.object(fields)
      let field =
        switch self {
        case .variable:
          JSONMember(
            "data_sections",
            .array([.object([JSONMember("name", .string("")), JSONMember("variables", .array([object]))])]))
        case .map: JSONMember("maps", .array([object]))
        case .program: JSONMember("progs", .array([object]))
        case .documentation: JSONMember("doc", object)
        }
      return .object([JSONMember("bpf_skel", .object([JSONMember("obj_name", .string("")), field]))])
    }
  }

  /// Reads each annotation by itself, so that an error is at its line, and then all.
  private func model(
    _ annotations: [Annotation], _ own: [JSONMember], _ place: Place
  ) throws(MoontraceError) -> PackageMeta {
    var fields = own
    for annotation in annotations {
      let member = JSONMember(annotation.field, try annotation.value())
      fields.removeAll { $0.name == member.name }
      do throws(MoontraceError) {
        _ = try PackageMeta(place.meta(own.filter { $0.name != member.name } + [member]), name: annotation.place)
      } catch {
        var error = error
        error.message = error.message.replacing(place.rawValue, with: "@")
        throw error
      }
      fields.append(member)
    }
    return try PackageMeta(place.meta(fields), name: annotations.first?.place ?? "")
  }

  private func check(_ argument: CommandArgument?, _ annotations: [Annotation]) throws(MoontraceError) {
    guard let argument, let annotation = annotations.last(where: { $0.key == "cmdarg" }) else { return }
    if let short = argument.short, short.count != 1 || short == "-" {
      throw annotation.failure(".short: one character is needed, this is '\(short)'")
    }
    if let long = argument.long, !Self.isOptionName(long) {
      throw annotation.failure(".long: '\(long)' is no name for an option", remedy: "letters, digits, - and _")
    }
  }

  private static func isOptionName(_ text: String) -> Bool {
    text.first != "-" && !text.isEmpty
      && text.utf8.allSatisfy { byte in
        let character = Character(Unicode.Scalar(byte))
        return byte < 0x80 && (character.isLetter || character.isNumber || character == "-" || character == "_")
      }
  }
}

extension Annotation {
  /// The format's own spelling of a key.
  fileprivate var field: String { key == "interpreter" ? "intepreter" : key }

  /// The text as JSON where it can be; `true` when there is none.
  ///
  /// - Throws: `.scriptFailed` at the annotation when its key takes JSON and this is none.
  func value() throws(MoontraceError) -> JSONValue {
    if AnnotationKey.texts.contains(key) { return plainText }
    if text.isEmpty { return .boolean(true) }
    // A SPEC is no JSON.
    if key == ProgramPlacement.field, text.first != "\"", text.first != "[" { return .string(text) }
    do throws(MoontraceError) {
      return try JSONValue(json: Array(text.utf8), name: file)
    } catch {
      let isWord = ["export_config", "intepreter"].contains(field) && text.allSatisfy { $0.isLetter || $0 == "_" }
      guard AnnotationKey.all.contains(key), !isWord else { return .string(text) }
      throw failure(
        ": \(error.message)", remedy: "write @\(key) and a JSON value, such as \(AnnotationKey.example(key))")
    }
  }

  /// A description is text also when it looks like a number; quotes around all of it may be left out.
  private var plainText: JSONValue {
    if text.hasPrefix("\""), let value = try? JSONValue(json: Array(text.utf8), name: file) { return value }
    return .string(text)
  }

  func failure(_ message: String, remedy: String? = nil) -> MoontraceError {
    MoontraceError(.scriptFailed, "@\(key)\(message)", remedy: remedy, location: place)
  }
}
