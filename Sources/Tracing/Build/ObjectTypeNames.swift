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

  /// The type that C calls so: `struct event`, `union value`, `event_t`.
  func id(ofC name: String) -> TypeID? {
    let words = name.split(separator: " ").map(String.init)
    switch words.first {
    case "struct" where words.count == 2: return find(words[1], .struct)
    case "union" where words.count == 2: return find(words[1], .union)
    default: return find(name, .typedef)
    }
  }

  /// The same, if it is a struct or a union, behind its typedef.
  func recordID(ofC name: String) -> TypeID? {
    guard let id = id(ofC: name) else { return nil }
    let record = resolve(id)
    return [.struct, .union].contains(kind(of: record)) ? record : nil
  }
}
