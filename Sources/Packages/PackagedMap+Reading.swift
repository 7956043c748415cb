import Support

extension PackagedMap: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(name: try fields.text("name"), identifier: try fields.text("ident"))
    isMapped = try fields.flag("mmaped", default: isMapped)
    sample = try fields.object("sample")
    if let rule = fields.take("export_config") { export = try ExportRule(rule, in: fields, "export_config") }
    if let value = fields.take("intepreter") { interpreter = try RecordInterpreter(value, in: fields, "intepreter") }
    other = fields.rest
  }
}

extension MapSample: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(milliseconds: try fields.integer("interval", in: FieldRange.count))
    if let word = try fields.optionalText("type") {
      guard let form = Form(rawValue: word) else {
        throw fields.unknown("type", word, among: Form.allCases.map(\.rawValue))
      }
      self.form = form
    }
    unit = try fields.optionalText("unit") ?? unit
    clears = try fields.flag("clear_map", default: clears)
    other = fields.rest
  }
}

extension ExportRule {
  static let words = (none: "no_export", valueType: "default", type: "btf_type_id", members: "custom_members")

  /// A word, or an object of one member.
  fileprivate init(_ value: JSONValue, in outer: FieldReader, _ name: String) throws(MoontraceError) {
    let words = Self.words
    switch value {
    case .string(words.none): self = .none
    case .string(words.valueType): self = .valueType
    case .string(let word): throw outer.unknown(name, word, among: [words.none, words.valueType])
    case .object:
      var fields = try FieldReader(value, file: outer.file, path: outer.path(name))
      if fields.rest.contains(where: { $0.name == words.members }) {
        self = .members(try fields.objects(words.members))
      } else {
        self = .type(UInt32(try fields.integer(words.type, in: FieldRange.word)))
      }
      try fields.finish(known: [words.type, words.members])
    default: throw outer.mismatch(value, name, needed: "a string or an object")
    }
  }
}

extension ExportedMember: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(
      name: try fields.text("name"), offset: try fields.integer("offset", in: FieldRange.word),
      typeID: UInt32(try fields.integer("btf_type_id", in: FieldRange.word)))
    other = fields.rest
  }
}

extension RecordInterpreter {
  static let words = (plain: "default_struct", stacks: "stack_trace", fields: "field_map", names: "with_symbols")

  /// A word, or an object of one member.
  fileprivate init(_ value: JSONValue, in outer: FieldReader, _ name: String) throws(MoontraceError) {
    let words = Self.words
    switch value {
    case .string(words.plain): self = .plain
    case .string(let word): throw outer.unknown(name, word, among: [words.plain])
    case .object:
      var fields = try FieldReader(value, file: outer.file, path: outer.path(name))
      guard let stacks = try fields.object(words.stacks, StackFields.self) else { throw fields.missing(words.stacks) }
      try fields.finish(known: [words.stacks])
      self = .stacks(fields: stacks.names, areNamed: stacks.areNamed)
    default: throw outer.mismatch(value, name, needed: "a string or an object")
    }
  }

  /// The roles that a stack's record has, in the order that they are written in.
  static let roles = ["pid", "cpu_id", "comm", "kstack_sz", "ustack_sz", "kstack", "ustack"]

  /// What stands in `stack_trace`.
  private struct StackFields: FieldReadable {
    var names: [String: String]
    var areNamed: Bool

    init(_ fields: inout FieldReader) throws(MoontraceError) {
      names = try fields.object(words.fields, RoleNames.self)?.names ?? [:]
      areNamed = try fields.flag(words.names, default: true)
      try fields.finish(known: [words.fields, words.names])
    }
  }

  /// What stands in `field_map`.
  private struct RoleNames: FieldReadable {
    var names: [String: String] = [:]

    init(_ fields: inout FieldReader) throws(MoontraceError) {
      for role in roles { names[role] = try fields.optionalText(role) }
      try fields.finish(known: roles)
    }
  }
}

extension FieldReader {
  /// A word that is none of those a field may be.
  fileprivate func unknown(_ name: String, _ word: String, among words: [String]) -> MoontraceError {
    failure(
      name, "'\(word)' is unknown\(suggestionHint(for: word, in: words))",
      remedy: "there are \(words.joined(separator: ", "))")
  }
}
