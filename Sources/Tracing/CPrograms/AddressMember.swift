import BTF
import Glibc

/// A network address in a record that says its family: `__u8 saddr[16]` beside `family`, or a union of `saddr_v4` and
/// `saddr_v6`. The bytes are in the network's order, whatever type they have in C.
struct AddressMember {
  private enum Version {
    case either, four, six
  }

  let name: String
  private let version: Version
  private let offset: Int
  private let size: Int
  private let family: MemberLayout

  static func all(in record: RecordLayout) -> [AddressMember] {
    let families = ["family", "af", "sa_family"]
    guard let family = record.members.first(where: { families.contains($0.name) && $0.bits == nil }),
      case .integer(let size, _) = family.value, size <= 4
    else { return [] }
    return record.members.compactMap { AddressMember($0, family) }
  }

  private init?(_ member: MemberLayout, _ family: MemberLayout) {
    let parts = member.name.split(separator: "_v", maxSplits: 1).map(String.init)
    guard let first = parts.first, ["saddr", "daddr", "laddr", "raddr", "addr"].contains(first) else { return nil }
    switch parts.count == 1 ? "" : parts[1] {
    case "": version = .either
    case "4": version = .four
    case "6": version = .six
    default: return nil
    }
    (name, offset, size, self.family) = (member.name, member.offset, member.value.size, family)
    guard size == 16 || size == 4 && version != .six else { return nil }
  }

  /// nil where the record holds the address of another version. Of a family that is unknown, the bytes.
  func text(in record: UnsafeRawBufferPointer) -> String? {
    guard offset >= 0, offset + size <= record.count, family.offset >= 0,
      family.offset + family.value.size <= record.count
    else { return nil }
    let number = record[family.offset..<family.offset + family.value.size].reversed().reduce(0) { $0 << 8 | Int32($1) }
    let bytes = Array(record[offset..<offset + size])
    switch number {
    case AF_INET: return version == .six ? nil : addressText(Array(bytes.prefix(4)))
    case AF_INET6: return version == .four ? nil : addressText(bytes)
    default: return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}
