import BTF
import KernelLoader
import Support

/// Which members of a record are a process's stacks (`intepreter` `stack_trace` of a package).
struct StackMembers {
  /// One stack: where its addresses lie, and its length in bytes where a member holds it.
  struct Stack {
    var name: String
    var offset: Int
    var count: Int
    var length: MemberLayout?
  }

  var kernel: Stack?
  var user: Stack?
  /// The process of the user's stack.
  var process: MemberLayout?
  /// Whether addresses are named.
  var areNamed: Bool

  /// - Parameters:
  ///   - fields: the members' names by role; roles that are missing are named as the role.
  ///   - place: what errors begin with.
  init(_ record: RecordLayout, fields: [String: String], areNamed: Bool, place: String) throws(MoontraceError) {
    let roles = Roles(record: record, fields: fields, place: place)
    kernel = try roles.stack("kstack")
    user = try roles.stack("ustack")
    process = try roles.member("pid")
    self.areNamed = areNamed
    guard kernel != nil || user != nil else {
      throw MoontraceError(
        .scriptFailed, "\(place): its record '\(record.name)' has no stacks: arrays of u64 called kstack or ustack",
        remedy: "name the members in field_map")
    }
  }

  /// The members that only say how long others are.
  var hidden: Set<String> { Set([kernel, user].compactMap { $0?.length?.name }) }

  /// The record of the format where no type says how it reads.
  static let standard = RecordLayout(
    name: "stack_trace", size: 32 + 2 * 8 * depth,
    members: [
      MemberLayout(name: "pid", offset: 0, value: .integer(size: 4, signed: false)),
      MemberLayout(name: "cpu_id", offset: 4, value: .integer(size: 4, signed: false)),
      MemberLayout(name: "comm", offset: 8, value: .text(count: 16)),
      MemberLayout(name: "kstack_sz", offset: 24, value: .integer(size: 4, signed: true)),
      MemberLayout(name: "ustack_sz", offset: 28, value: .integer(size: 4, signed: true)),
      MemberLayout(name: "kstack", offset: 32, value: addresses),
      MemberLayout(name: "ustack", offset: 32 + 8 * depth, value: addresses),
    ])

  private static let depth = 128
  private static let addresses = ValueLayout.array(
    element: .integer(size: 8, signed: false), stride: 8, count: depth)
}

/// The members of a record by what they are for.
private struct Roles {
  let record: RecordLayout
  let fields: [String: String]
  let place: String

  /// nil for a role that nothing is called by; a name that the package gives must be there.
  func member(_ role: String) throws(MoontraceError) -> MemberLayout? {
    let name = fields[role] ?? role
    if let member = record.members.first(where: { $0.name == name }) { return member }
    if fields[role] == nil { return nil }
    let hint = suggestionHint(for: name, in: record.members.map(\.name))
    throw MoontraceError(
      .scriptFailed, "\(place): its record '\(record.name)' has no member '\(name)'\(hint)",
      remedy: "name the member in field_map")
  }

  func stack(_ role: String) throws(MoontraceError) -> StackMembers.Stack? {
    guard let addresses = try member(role), case .array(_, 8, let count) = addresses.value else { return nil }
    return StackMembers.Stack(
      name: addresses.name, offset: addresses.offset, count: count, length: try member(role + "_sz"))
  }
}

extension StackMembers.Stack {
  /// The addresses in a record, the innermost first. A negative length is the kernel's errno: no stack could be taken.
  func addresses(in record: UnsafeRawBufferPointer) -> [UInt64] {
    let room = min(count > 0 ? count : .max, max(0, record.count - offset) / 8)
    var wanted = room
    if let length {
      guard let bytes = length.number(in: record) else { return [] }
      wanted = min(room, Int(max(0, bytes)) / 8)
    }
    let addresses = (0..<wanted).map { record.loadUnaligned(fromByteOffset: offset + $0 * 8, as: UInt64.self) }
    return addresses.filter { $0 != 0 }
  }
}

extension MemberLayout {
  /// A 32-bit member's value; nil when the record ends before it.
  func number(in record: UnsafeRawBufferPointer) -> Int32? {
    guard offset >= 0, offset + 4 <= record.count else { return nil }
    return record.loadUnaligned(fromByteOffset: offset, as: Int32.self)
  }
}
