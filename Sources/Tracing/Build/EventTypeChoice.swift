import BTF
import Packages
import Support

/// Chooses the types of events: for each buffer what the user says, its `__type(value, …)`, what the source sends through
/// it, or what has its size; and what of all this is exported.
struct EventTypeChoice {
  private let types: TypeGraph
  private let program: CompiledProgram
  private let annotations: ObjectAnnotations
  private let options: BuildOptions
  private let ownTypes: [String]
  /// In the order of the buffers that they are of.
  private var chosen: [TypeID] = []
  private(set) var warnings: [MoontraceError] = []

  init(_ types: TypeGraph, _ program: CompiledProgram, _ annotations: ObjectAnnotations, _ options: BuildOptions) {
    self.types = types
    self.program = program
    self.annotations = annotations
    self.options = options
    ownTypes = annotations.source.recordNames
  }

  /// Refuses `--event MAP=TYPE` for what is no buffer.
  func checkNames(of buffers: [String]) throws(MoontraceError) {
    for map in options.eventTypes.keys.sorted() where !buffers.contains(map) {
      let known = buffers.isEmpty ? "the program has none" : "there are \(buffers.joined(separator: ", "))"
      throw MoontraceError(
        .usage, "--event: '\(map)' is no ring or perf buffer\(suggestionHint(for: map, in: buffers))", remedy: known)
    }
  }

  /// The type of a buffer's events, mostly a struct; nil when it is not found.
  ///
  /// - Parameter declared: of the map's definition.
  /// - Throws: `.usage` when the user names a type that the object does not have.
  mutating func choose(for map: String, declared: TypeID?) throws(MoontraceError) -> TypeID? {
    let type = try named(for: map) ?? declared ?? sent(through: map) ?? ofSize(map) ?? onlyOne()
    if let type {
      if isRecord(type), !chosen.contains(type) { chosen.append(type) }
    } else if annotations.source.of(map).allSatisfy({ $0.key != "export_config" }) {
      warnings.append(
        MoontraceError(
          .scriptFailed, "the type of the events in '\(map)' is not found",
          remedy: "name it with --event '\(map)=struct NAME', or __type(value, struct NAME) in the map",
          location: annotations.source.place(of: map)))
    }
    return type
  }

  /// Whether records of a type have members, which is what the format can say of types.
  func isRecord(_ type: TypeID) -> Bool { [.struct, .union].contains(types.kind(of: type)) }

  private func named(for map: String) throws(MoontraceError) -> TypeID? {
    let option = options.eventTypes[map].map(annotations.source.spelling)
    guard let name = option ?? annotations.exportedType(of: map) else { return nil }
    if let type = types.recordID(ofC: name) ?? types.id(ofC: name) { return type }
    throw MoontraceError(
      .usage,
      "the events in '\(map)' are said to be '\(name)', which the program does not define"
        + suggestionHint(for: name, in: ownTypes), location: option == nil ? annotations.source.place(of: map) : nil)
  }

  private mutating func sent(through map: String) -> TypeID? {
    var names: [String] = []
    var found: [TypeID] = []
    for event in program.events where event.map == map {
      guard let type = type(of: event), !found.contains(type) else { continue }
      found.append(type)
      names.append(types.spelling(of: type))
    }
    if found.count > 1 {
      warnings.append(
        MoontraceError(
          .scriptFailed, "'\(map)' carries \(names.joined(separator: " and ")); its events are read as \(names[0])",
          remedy: "name the type with --event '\(map)=\(names[1])'", location: annotations.source.place(of: map)))
    }
    return found.first
  }

  /// A pointer to what is no struct may point to the first of many; then the size decides.
  private func type(of event: EventType) -> TypeID? {
    guard let size = event.sizeType, size.hasPrefix("\(event.type)["), let array = types.id(ofC: size) else {
      return types.recordID(ofC: event.type)
        ?? event.sizeType.flatMap { types.recordID(ofC: $0) ?? types.id(ofC: $0) }
    }
    return array
  }

  /// The only struct of the program's own that has the size of the records.
  private func ofSize(_ map: String) -> TypeID? {
    guard let size = program.sizes[map], size.count == 1 else { return nil }
    let fitting = Set(ownTypes.compactMap(types.recordID)).filter { (try? types.layout(of: $0).size) == size[0] }
    return fitting.count == 1 ? fitting.first : nil
  }

  /// The only struct with `@export`, or of HEADER.
  private func onlyOne() -> TypeID? {
    let exported = annotations.source.exportedTypes
    let names = exported.isEmpty ? options.headerPath.map(program.types) ?? [] : exported
    let types = Set(names.compactMap(types.recordID))
    return types.count == 1 ? types.first : nil
  }

  /// All that are exported: those with `@export`, if there are any; else the buffers' and HEADER's.
  func exportedTypes() throws(MoontraceError) -> [ExportedType] {
    let marked = annotations.source.exportedTypes
    var names = marked
    if marked.isEmpty, let header = options.headerPath { names += program.types(in: header) }
    let named = names.compactMap(types.recordID)
    // The first one is what a loader takes that knows of one only.
    let first = chosen.filter { marked.isEmpty || named.contains($0) }
    var exported: [ExportedType] = []
    for type in first + named where !exported.contains(where: { $0.typeID == type }) {
      exported.append(try describe(type, names: names + program.events.map(\.type)))
    }
    return exported
  }

  private func describe(_ type: TypeID, names: [String]) throws(MoontraceError) -> ExportedType {
    // A struct without a tag is called by its typedef.
    let tag = types.name(of: type)
    let name = tag.isEmpty ? names.first { types.recordID(ofC: $0) == type } ?? "event" : tag
    let members = types.memberNames(of: type).map { member in
      ExportedType.Member(
        name: member, type: types.member(member, of: type).map { types.spelling(of: $0.type) } ?? "")
    }
    return ExportedType(name: name, members: members, size: try types.layout(of: type).size, typeID: type)
  }
}
