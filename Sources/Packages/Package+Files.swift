import Support

extension Package {
  /// The largest object that is read, in bytes.
  public static let maximumObjectSize = 64 << 20

  private static let fields = (object: "bpf_object", size: "bpf_object_size", meta: "meta")

  /// Reads `package.json` or `package.yaml`.
  ///
  /// ```swift
  /// let package = try Package(readFile("package.json"), .json, name: "package.json")
  /// ```
  /// - Parameter name: what errors call the file.
  /// - Throws: `.scriptFailed` with the line and column, or the path of the field, that is to blame. An object of
  ///   another size than the package tells is refused.
  public init(_ bytes: [UInt8], _ format: DataFormat, name: String) throws(MoontraceError) {
    try self.init(try format.read(bytes, name: name), name: name)
  }

  /// Reads a package from its JSON.
  public init(_ value: JSONValue, name: String) throws(MoontraceError) {
    var reader = try FieldReader(value, file: name)
    // First what is cheap to read, and likelier to be wrong.
    guard let meta = try reader.object(Self.fields.meta, PackageMeta.self) else {
      throw reader.missing(Self.fields.meta)
    }
    self.init(object: try Self.readObject(&reader), meta: meta)
    other = reader.rest
  }

  private static func readObject(_ reader: inout FieldReader) throws(MoontraceError) -> [UInt8] {
    let size = try reader.integer(fields.size, in: 0...maximumObjectSize)
    let text = try reader.text(fields.object)
    do throws(MalformedBytes) {
      return try Deflated.inflate(try Base64.decode(text), size: size)
    } catch {
      throw reader.failure(fields.object, error.message)
    }
  }

  /// `package.json` (all in one line) or `package.yaml`; the same package gives the same bytes.
  public func bytes(_ format: DataFormat) -> [UInt8] {
    switch format {
    case .json: json.json()
    case .yaml: json.yaml()
    }
  }

  /// The package as JSON: the object, deflated, in base64; its size; `meta`.
  public var json: JSONValue {
    .object(
      [
        JSONMember(Self.fields.object, .string(Base64.encode(Deflated.deflate(object)))),
        JSONMember(Self.fields.size, .integer(Int64(object.count))),
        JSONMember(Self.fields.meta, meta.json),
      ] + other)
  }
}

extension PackageMeta {
  /// Reads a skeleton: `NAME.skel.json` or `NAME.skel.yaml`, which stands beside its object.
  ///
  /// - Parameter name: what errors call the file.
  /// - Throws: `.scriptFailed` with the line and column, or the path of the field, that is to blame.
  public init(_ bytes: [UInt8], _ format: DataFormat, name: String) throws(MoontraceError) {
    try self.init(try format.read(bytes, name: name), name: name)
  }

  /// A skeleton for people to read too: JSON over many lines, or YAML.
  public func bytes(_ format: DataFormat) -> [UInt8] {
    switch format {
    case .json: json.json(isPretty: true) + [0x0a]
    case .yaml: json.yaml()
    }
  }
}
