import Packages
import Support

/// Takes values out of a package's annotations; its errors say where they stand.
struct MemberReader {
  let members: [JSONMember]
  /// What errors begin with.
  let place: String

  subscript(name: String) -> JSONValue? {
    members.last { $0.name == name }?.value
  }

  /// The members of an object; none when it is missing.
  func object(_ name: String) throws(MoontraceError) -> MemberReader {
    switch self[name] {
    case nil, .null: return MemberReader(members: [], place: "\(place): \(name)")
    case .object(let members): return MemberReader(members: members, place: "\(place): \(name)")
    default: throw mismatch(name, "an object")
    }
  }

  /// An integer, or what stands for a missing one.
  func integer(_ name: String, default value: Int64) throws(MoontraceError) -> Int64 {
    switch self[name] {
    case nil, .null: return value
    case .integer(let number): return number
    default: throw mismatch(name, "an integer")
    }
  }

  /// A text, or several in a list; none when they are missing.
  func texts(_ name: String) throws(MoontraceError) -> [String] {
    switch self[name] {
    case nil, .null: return []
    case .string(let text): return [text]
    case .array(let values):
      let texts = values.compactMap { if case .string(let text) = $0 { text } else { nil as String? } }
      if texts.count == values.count { return texts }
    default: break
    }
    throw mismatch(name, "a string, or a list of strings")
  }

  func mismatch(_ name: String, _ expected: String) -> MoontraceError {
    failure("'\(name)' must be \(expected)")
  }

  func failure(_ message: String) -> MoontraceError {
    MoontraceError(.scriptFailed, "\(place): \(message)")
  }
}
