extension PackageMeta {
  /// `meta` as eunomia-bpf's loader reads it: every field that it knows, whatever its value; optional ones only when
  /// they are set; then what stood there besides.
  ///
  /// The order is that of the format's own description, and what is written is read again as the same.
  public var json: JSONValue {
    var members = [
      JSONMember("bpf_skel", skeleton.json),
      JSONMember("export_types", .array(exportTypes.map(\.json))),
      JSONMember("perf_buffer_pages", .integer(Int64(perfBufferPages))),
      JSONMember("perf_buffer_time_ms", .integer(Int64(perfBufferMilliseconds))),
      JSONMember("poll_timeout_ms", .integer(Int64(pollTimeoutMilliseconds))),
      JSONMember("debug_verbose", .boolean(isVerbose)),
      JSONMember("print_header", .boolean(printsHeader)),
      JSONMember("enable_multiple_export_types", .boolean(exportsEachMap)),
    ]
    members.add("eunomia_version", text: toolVersion)
    return .object(members + other)
  }
}

extension [JSONMember] {
  fileprivate mutating func add(_ name: String, _ value: JSONValue?) {
    if let value { append(JSONMember(name, value)) }
  }

  fileprivate mutating func add(_ name: String, text: String?) {
    add(name, text.map { .string($0) })
  }
}

extension Skeleton {
  fileprivate var json: JSONValue {
    var members = [
      JSONMember("obj_name", .string(objectName)),
      JSONMember("data_sections", .array(sections.map(\.json))),
      JSONMember("maps", .array(maps.map(\.json))),
      JSONMember("progs", .array(programs.map(\.json))),
    ]
    if documentation != Documentation() { members.add("doc", documentation.json) }
    return .object(members + other)
  }
}

extension Documentation {
  fileprivate var json: JSONValue {
    var members: [JSONMember] = []
    members.add("version", text: version)
    members.add("brief", text: brief)
    members.add("details", text: details)
    members.add("description", text: description)
    return .object(members + other)
  }
}

extension DataSection {
  fileprivate var json: JSONValue {
    .object([JSONMember("name", .string(name)), JSONMember("variables", .array(variables.map(\.json)))] + other)
  }
}

extension PackagedVariable {
  fileprivate var json: JSONValue {
    var members = [JSONMember("name", .string(name)), JSONMember("type", .string(type))]
    members.add("value", value)
    members.add("description", text: description)
    members.add("cmdarg", argument?.json)
    return .object(members + other)
  }
}

extension CommandArgument {
  fileprivate var json: JSONValue {
    var members: [JSONMember] = []
    members.add("default", defaultValue)
    members.add("long", text: long)
    members.add("short", text: short)
    members.add("help", text: help)
    return .object(members + other)
  }
}

extension ExportedType {
  fileprivate var json: JSONValue {
    .object(
      [
        JSONMember("name", .string(name)),
        JSONMember("members", .array(members.map(\.json))),
        JSONMember("size", .integer(Int64(size))),
        JSONMember("type_id", .integer(Int64(typeID))),
      ] + other)
  }
}

extension ExportedType.Member {
  fileprivate var json: JSONValue {
    .object([JSONMember("name", .string(name)), JSONMember("type", .string(type))] + other)
  }
}

extension PackagedMap {
  fileprivate var json: JSONValue {
    var members = [
      JSONMember("name", .string(name)),
      JSONMember("ident", .string(identifier)),
      JSONMember("mmaped", .boolean(isMapped)),
    ]
    members.add("sample", sample?.json)
    members.add("export_config", export.json)
    members.add("intepreter", interpreter.json)
    return .object(members + other)
  }
}

extension MapSample {
  fileprivate var json: JSONValue {
    .object(
      [
        JSONMember("interval", .integer(Int64(milliseconds))),
        JSONMember("type", .string(form.rawValue)),
        JSONMember("unit", .string(unit)),
        JSONMember("clear_map", .boolean(clears)),
      ] + other)
  }
}

extension ExportRule {
  fileprivate var json: JSONValue {
    switch self {
    case .none: .string(Self.words.none)
    case .valueType: .string(Self.words.valueType)
    case .type(let id): .object([JSONMember(Self.words.type, .integer(Int64(id)))])
    case .members(let members): .object([JSONMember(Self.words.members, .array(members.map(\.json)))])
    }
  }
}

extension ExportedMember {
  fileprivate var json: JSONValue {
    .object(
      [
        JSONMember("name", .string(name)),
        JSONMember("offset", .integer(Int64(offset))),
        JSONMember("btf_type_id", .integer(Int64(typeID))),
      ] + other)
  }
}

extension RecordInterpreter {
  fileprivate var json: JSONValue {
    guard case .stacks(let fields, let areNamed) = self else { return .string(Self.words.plain) }
    var names: [JSONMember] = []
    for role in Self.roles { names.add(role, text: fields[role]) }
    let stacks = [JSONMember(Self.words.fields, .object(names)), JSONMember(Self.words.names, .boolean(areNamed))]
    return .object([JSONMember(Self.words.stacks, .object(stacks))])
  }
}

extension PackagedProgram {
  fileprivate var json: JSONValue {
    .object(
      [
        JSONMember("name", .string(name)),
        JSONMember("attach", .string(section)),
        JSONMember("link", .boolean(isAttached)),
      ] + other)
  }
}
