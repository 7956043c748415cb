import Support

/// A tracepoint's fields, as the kernel's `format` file says.
///
/// Source of the format: the kernel's Documentation/trace/events.rst:
/// `field:char prev_comm[16];	offset:8;	size:16;	signed:0;`
struct TracepointFormat {
  struct Field: Equatable {
    var name: String
    /// Without the name and the array's length: `const char *`, `__data_loc char[]`.
    var type: String
    /// Elements, for `x[16]`; nil for what is no array.
    var count: Int?
    /// Bytes from the start of the record.
    var offset: Int32
    /// Bytes, of the whole array.
    var size: Int32
    var isSigned: Bool
  }

  /// In order, without those that all events have (`common_pid`), most of which programs may not read.
  let fields: [Field]

  /// - Parameter spec: the tracepoint, for the error.
  /// - Throws: `.unsupported` when a field's description is not what kernels have written so far.
  init(_ text: String, spec: String) throws(MoontraceError) {
    var fields: [Field] = []
    for line in text.split(separator: "\n") where line.hasPrefix("\tfield:") {
      guard let field = Self.field(line) else {
        throw MoontraceError(.unsupported, "\(spec): its format can't be read: \(line.dropFirst())")
      }
      if !field.name.hasPrefix("common_") { fields.append(field) }
    }
    self.fields = fields
  }

  private static func field(_ line: Substring) -> Field? {
    var values: [Substring: Substring] = [:]
    for part in line.split(separator: ";") {
      let part = part.drop { $0 == "\t" }
      guard let colon = part.firstIndex(of: ":") else { continue }
      values[part[..<colon]] = part[part.index(after: colon)...]
    }
    guard let declaration = values["field"], let offset = values["offset"].flatMap({ Int32($0) }),
      let size = values["size"].flatMap({ Int32($0) }), let signed = values["signed"]
    else { return nil }
    let (type, name, length) = split(declaration)
    // Lengths may be spelled as constants that only the kernel's source knows; 0 is then found out by the size.
    let count = length.map { Int($0) ?? 0 }
    return Field(name: name, type: type, count: count, offset: offset, size: size, isSigned: signed == "1")
  }

  /// `char prev_comm[16]` is `char`, `prev_comm`, `16`.
  private static func split(_ declaration: Substring) -> (type: String, name: String, length: Substring?) {
    var rest = declaration
    var length: Substring?
    if rest.last == "]", let open = rest.lastIndex(of: "["), open != rest.startIndex,
      isName(rest[rest.index(before: open)])
    {
      length = rest[rest.index(after: open)...].dropLast()
      rest = rest[..<open]
    }
    let name = String(rest.reversed().prefix(while: isName).reversed())
    var type = rest.dropLast(name.count)
    while type.last == " " { type = type.dropLast() }
    return (String(type), name, length)
  }

  private static func isName(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }
}
