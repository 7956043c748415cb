import LuaRuntime
import ProbeCompiler
import Support

// The types that scripts declare, and those that their values show.
extension DataType {
  /// What `map{ key = …, value = … }` declares: an example (`0`, `true`, `""`), `"integer"`, `"boolean"`, `"string"`,
  /// `"string(64)"`, a list of those for a tuple, a table of those by name for a record. nil when nothing is declared.
  static func declared(_ value: LuaValue, as part: String) throws(MoontraceError) -> DataType? {
    switch value {
    case .nil: return nil
    case .integer: return .integer
    case .boolean: return .boolean
    case .string: return try named(value.text ?? "", part)
    case .table(let table): return try group(table, part)
    default: throw refusal(part, "a \(value.typeName)")
    }
  }

  private static func named(_ text: String, _ part: String) throws(MoontraceError) -> DataType {
    switch text {
    case "integer": return .integer
    case "boolean": return .boolean
    case "string", "": return .string(capacity: 256)
    default: break
    }
    guard text.hasPrefix("string("), text.hasSuffix(")"), let size = Int32(text.dropFirst(7).dropLast()),
      (1...4096).contains(size)
    else { throw refusal(part, "'\(text)'") }
    return .string(capacity: (size + 7) / 8 * 8)
  }

  private static func group(_ table: LuaTable, _ part: String) throws(MoontraceError) -> DataType {
    var fields: [Field] = []
    for name in table.fields.keys.sorted() {
      if let type = try declared(table[name], as: "\(part).\(name)") { fields.append(Field(name: name, type: type)) }
    }
    var items: [DataType] = []
    for item in table.list {
      if let type = try declared(item, as: part) { items.append(type) }
    }
    guard fields.isEmpty != items.isEmpty else { throw refusal(part, "a table that is neither a list nor a record") }
    return items.isEmpty ? .record(fields) : .tuple(items)
  }

  private static func refusal(_ part: String, _ got: String) -> MoontraceError {
    MoontraceError(
      .scriptFailed, "map: \(part): no type is \(got)",
      remedy: "write 0, true, \"\" or \"string(64)\", a list of types, or a table of types by name")
  }

  // MARK: Types of values

  /// Room for text that only the user half has stored yet, in bytes.
  private static let shortestText: Int32 = 64

  /// The type that holds a value of the user half; text may become longer than this one.
  init(of value: LuaValue) throws(MoontraceError) {
    switch value {
    case .boolean: self = .boolean
    case .integer: self = .integer
    case .string(let bytes):
      guard bytes.count <= 4096 else {
        throw MoontraceError(.scriptFailed, "text of \(bytes.count) bytes is too long: the limit is 4096")
      }
      self = .string(capacity: max(Self.shortestText, Int32(bytes.count + 7) / 8 * 8))
    case .table(let table): self = try Self.shape(of: table)
    default: throw MoontraceError(.scriptFailed, "a \(Self.spelling(of: value)) can't be stored in a map")
    }
  }

  private static func shape(of table: LuaTable) throws(MoontraceError) -> DataType {
    guard table.fields.isEmpty != table.list.isEmpty, table.otherKeyCount == 0 else {
      throw MoontraceError(
        .scriptFailed, "a table in a map is a list (tuple) or has names (record), and is not empty")
    }
    if table.fields.isEmpty {
      var items: [DataType] = []
      for item in table.list { items.append(try DataType(of: item)) }
      return .tuple(items)
    }
    var fields: [Field] = []
    for name in table.fields.keys.sorted() {
      fields.append(Field(name: name, type: try DataType(of: table[name])))
    }
    return .record(fields)
  }

  private static func spelling(of value: LuaValue) -> String {
    if case .number = value { "float" } else { value.typeName }
  }

  /// The type that holds the values of both; nil when there is none.
  func merged(with other: DataType) -> DataType? {
    switch (self, other) {
    case (.string(let a), .string(let b)): return .string(capacity: max(a, b))
    case (.tuple(let a), .tuple(let b)):
      let items = zip(a, b).compactMap { $0.merged(with: $1) }
      return a.count == b.count && items.count == a.count ? .tuple(items) : nil
    case (.record(let a), .record(let b)):
      let fields = zip(a, b).compactMap { mine, theirs -> Field? in
        guard mine.name == theirs.name else { return nil }
        return mine.type.merged(with: theirs.type).map { Field(name: mine.name, type: $0) }
      }
      return a.count == b.count && fields.count == a.count ? .record(fields) : nil
    default: return self == other ? self : nil
    }
  }

  /// The one type that holds all values.
  static func common(_ values: [LuaValue]) throws(MoontraceError) -> DataType? {
    var common: DataType?
    for value in values {
      let type = try DataType(of: value)
      guard let merged = common.map({ $0.merged(with: type) }) ?? type else {
        throw MoontraceError(
          .scriptFailed, "they are of several types", remedy: "a map's keys are of one type, its values too")
      }
      common = merged
    }
    return common
  }
}
