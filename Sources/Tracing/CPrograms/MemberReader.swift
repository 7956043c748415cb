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

  func mismatch(_ name: String, _ expected: String) -> MoontraceError {
    MoontraceError(.scriptFailed, "\(place): '\(name)' must be \(expected)")
  }
}
