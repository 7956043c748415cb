import Support

extension PackageMeta {
  /// Reads `meta`, as it stands in a package and alone in a skeleton.
  ///
  /// Absent and null fields have their defaults. A field of a wrong type is an error that names its path.
  ///
  /// - Parameters:
  ///   - name: what errors call the file.
  ///   - path: where the object stands in it: `meta` in a package.
  /// - Throws: `.scriptFailed`: `x.json: meta.bpf_skel.maps[2].name: a string is needed, this is a list`.
  public init(_ value: JSONValue, name: String, path: String = "") throws(MoontraceError) {
    var fields = try FieldReader(value, file: name, path: path)
    try self.init(&fields)
  }
}

extension PackageMeta: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    guard let skeleton = try fields.object("bpf_skel", Skeleton.self) else { throw fields.missing("bpf_skel") }
    self.init(skeleton: skeleton)
    exportTypes = try fields.objects("export_types")
    perfBufferPages = try fields.integer("perf_buffer_pages", in: FieldRange.count, default: perfBufferPages)
    perfBufferMilliseconds = try fields.integer(
      "perf_buffer_time_ms", in: FieldRange.count, default: perfBufferMilliseconds)
    pollTimeoutMilliseconds = try fields.integer(
      "poll_timeout_ms", in: FieldRange.signed, default: pollTimeoutMilliseconds)
    isVerbose = try fields.flag("debug_verbose", default: isVerbose)
    printsHeader = try fields.flag("print_header", default: printsHeader)
    exportsEachMap = try fields.flag("enable_multiple_export_types", default: exportsEachMap)
    toolVersion = try fields.optionalText("eunomia_version")
    other = fields.rest
  }
}

/// What integers of the format may be: what its first reader's own types hold, and for counts what an `Int32` holds, so
/// that arithmetic with them is safe.
enum FieldRange {
  static let count = 0...Int(Int32.max)
  static let signed = Int(Int32.min)...Int(Int32.max)
  static let word = 0...Int(UInt32.max)
}

extension Skeleton: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(objectName: try fields.text("obj_name"))
    sections = try fields.objects("data_sections")
    maps = try fields.objects("maps")
    programs = try fields.objects("progs")
    documentation = try fields.object("doc") ?? documentation
    other = fields.rest
  }
}

extension Documentation: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    version = try fields.optionalText("version")
    brief = try fields.optionalText("brief")
    details = try fields.optionalText("details")
    description = try fields.optionalText("description")
    other = fields.rest
  }
}

extension DataSection: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(name: try fields.text("name"), variables: try fields.objects("variables"))
    other = fields.rest
  }
}

extension PackagedVariable: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(name: try fields.text("name"), type: try fields.text("type"))
    value = fields.take("value")
    description = try fields.optionalText("description")
    argument = try fields.object("cmdarg")
    other = fields.rest
  }
}

extension CommandArgument: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    defaultValue = fields.take("default")
    long = try fields.optionalText("long")
    short = try fields.optionalText("short")
    help = try fields.optionalText("help")
    other = fields.rest
  }
}

extension ExportedType: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(
      name: try fields.text("name"), members: try fields.objects("members"),
      size: try fields.integer("size", in: FieldRange.word),
      typeID: UInt32(try fields.integer("type_id", in: FieldRange.word)))
    other = fields.rest
  }
}

extension ExportedType.Member: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(name: try fields.text("name"), type: try fields.text("type"))
    other = fields.rest
  }
}

extension PackagedProgram: FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError) {
    self.init(name: try fields.text("name"), section: try fields.text("attach"))
    isAttached = try fields.flag("link", default: isAttached)
    other = fields.rest
  }
}
