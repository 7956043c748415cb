import BTF
import Support

extension TypeGraph {
  /// The types of an object file.
  convenience init(object: [UInt8], name: String) throws(MoontraceError) {
    let image = try ELFImage(bytes: object, name: name)
    guard let section = image.section(".BTF") else {
      throw MoontraceError(.scriptFailed, "\(name): has no BTF type information", remedy: "compile with clang -g")
    }
    try self.init(blob: Array(image.contents(section)), name: name)
  }

  /// The type that C calls so: `struct event`, `union value`, `enum kind`, `event_t`, `unsigned int`, `u64[4]`.
  func id(ofC name: String) -> TypeID? {
    if let bracket = name.firstIndex(of: "[") { return array(name[..<bracket], name[bracket...]) }
    let words = name.split(separator: " ").map(String.init)
    switch words.first {
    case "struct" where words.count == 2: return find(words[1], .struct)
    case "union" where words.count == 2: return find(words[1], .union)
    case "enum" where words.count == 2: return find(words[1], .enum, .enum64)
    default: return find(name, .typedef) ?? find(name, .integer, .float)
    }
  }

  /// - Parameter bounds: `[2]`, or `[2][3]` of arrays in an array.
  private func array(_ name: Substring, _ bounds: Substring) -> TypeID? {
    guard let end = bounds.firstIndex(of: "]"), let count = Int(bounds[..<end].dropFirst()),
      let element = id(ofC: String(name) + bounds[bounds.index(after: end)...])
    else { return nil }
    return (1..<endID).first { id in
      guard kind(of: id) == .array, let own = self.element(of: id) else { return false }
      return own.count == count && resolve(own.type) == resolve(element)
    }
  }

  /// The same, if it is a struct or a union, behind its typedef.
  func recordID(ofC name: String) -> TypeID? {
    guard let id = id(ofC: name) else { return nil }
    let record = resolve(id)
    return [.struct, .union].contains(kind(of: record)) ? record : nil
  }
}
