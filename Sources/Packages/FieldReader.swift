import Support

/// What can be read from an object's fields.
protocol FieldReadable {
  init(_ fields: inout FieldReader) throws(MoontraceError)
}

/// Takes typed fields out of an object, one after the other; what stays is `rest`.
///
/// Null is as good as absent. Errors name the path: `meta.bpf_skel.maps[2].name: a string is needed, this is a list`.
struct FieldReader {
  /// The file, as errors call it.
  let file: String
  /// Where the object stands in it; empty for the whole.
  let path: String
  /// The members that nobody took.
  private(set) var rest: [JSONMember]

  init(_ value: JSONValue, file: String, path: String = "") throws(MoontraceError) {
    self.file = file
    self.path = path
    guard case .object(let members) = value else {
      throw Self.mismatch(value, needed: "an object", file: file, path: path)
    }
    rest = members
    // Text has been checked for this; values that were made otherwise have not.
    var names: Set<String> = []
    for member in members where !names.insert(member.name).inserted { throw failure(member.name, "stands there twice") }
  }

  /// Takes a field out; nil when it is absent or null.
  mutating func take(_ name: String) -> JSONValue? {
    guard let index = rest.firstIndex(where: { $0.name == name }) else { return nil }
    let value = rest.remove(at: index).value
    return value == .null ? nil : value
  }

  mutating func text(_ name: String) throws(MoontraceError) -> String {
    guard let text = try optionalText(name) else { throw missing(name) }
    return text
  }

  mutating func optionalText(_ name: String) throws(MoontraceError) -> String? {
    guard let value = take(name) else { return nil }
    guard case .string(let text) = value else { throw mismatch(value, name, needed: "a string") }
    return text
  }

  mutating func flag(_ name: String, default standard: Bool) throws(MoontraceError) -> Bool {
    guard let value = take(name) else { return standard }
    guard case .boolean(let flag) = value else { throw mismatch(value, name, needed: "true or false") }
    return flag
  }

  /// - Parameter range: what the field may be; an integer outside is an error.
  mutating func integer(_ name: String, in range: ClosedRange<Int>, default standard: Int? = nil)
    throws(MoontraceError) -> Int
  {
    guard let value = take(name) else {
      guard let standard else { throw missing(name) }
      return standard
    }
    switch value {
    case .integer(let number) where range.contains(Int(number)): return Int(number)
    case .integer(let number): throw failure(name, outside(range, "\(number)"))
    case .unsigned(let number): throw failure(name, outside(range, "\(number)"))
    default: throw mismatch(value, name, needed: "an integer")
    }
  }

  private func outside(_ range: ClosedRange<Int>, _ number: String) -> String {
    "an integer from \(range.lowerBound) to \(range.upperBound) is needed, this is \(number)"
  }

  mutating func object<Value: FieldReadable>(_ name: String, _ type: Value.Type = Value.self)
    throws(MoontraceError) -> Value?
  {
    guard let value = take(name) else { return nil }
    var fields = try FieldReader(value, file: file, path: path(name))
    return try Value(&fields)
  }

  /// The objects of a list; none when it is absent or null.
  mutating func objects<Value: FieldReadable>(_ name: String, _ type: Value.Type = Value.self)
    throws(MoontraceError) -> [Value]
  {
    guard let value = take(name) else { return [] }
    guard case .array(let elements) = value else { throw mismatch(value, name, needed: "a list") }
    var objects: [Value] = []
    for (index, element) in elements.enumerated() {
      var fields = try FieldReader(element, file: file, path: "\(path(name))[\(index)]")
      objects.append(try Value(&fields))
    }
    return objects
  }

  /// Throws when a field is left, for objects that have no room for what they don't know.
  func finish(known names: [String]) throws(MoontraceError) {
    guard let unknown = rest.first else { return }
    let near = suggestion(for: unknown.name, in: names)
    throw failure(
      unknown.name, "there is no such field",
      remedy: near.map { "did you mean '\($0)'?" } ?? "there are \(names.joined(separator: ", "))")
  }

  func path(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  func missing(_ name: String) -> MoontraceError { failure(name, "this field is missing") }

  func mismatch(_ value: JSONValue, _ name: String, needed: String) -> MoontraceError {
    Self.mismatch(value, needed: needed, file: file, path: path(name))
  }

  func failure(_ name: String, _ message: String, remedy: String? = nil) -> MoontraceError {
    MoontraceError(.scriptFailed, "\(path(name)): \(message)", remedy: remedy, location: file)
  }

  private static func mismatch(_ value: JSONValue, needed: String, file: String, path: String) -> MoontraceError {
    let place = path.isEmpty ? "" : "\(path): "
    return MoontraceError(.scriptFailed, "\(place)\(needed) is needed, this is \(value.kindName)", location: file)
  }
}
