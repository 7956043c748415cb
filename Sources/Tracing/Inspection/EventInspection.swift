import BTF
import KernelLoader
import Packages
import Support

/// Looks at what comes through the ring and perf buffers of an object.
struct EventInspection {
  private let object: BPFObject
  private let types: RecordTypes
  private let packaged: [PackagedMap]

  init(_ object: BPFObject, _ meta: PackageMeta?) {
    self.object = object
    packaged = meta?.skeleton.maps ?? []
    types = RecordTypes(object, meta)
  }

  func events() throws(MoontraceError) -> [EventDescription] {
    var events: [EventDescription] = []
    for map in object.maps where map.isEventBuffer {
      if let record = try types.record(of: map) {
        events.append(describe(record, from: map))
      } else {
        events.append(EventDescription(source: map.name))
      }
    }
    return events
  }

  private func describe(_ record: RecordLayout, from map: BPFMap) -> EventDescription {
    let id = type(of: record, in: map)
    let listed = listedTypes(of: map)
    return EventDescription(
      source: map.name, type: id.map(object.types.spelling), size: record.size,
      definition: id.map(object.types.definition),
      members: record.members.map { member in
        EventDescription.Member(
          name: member.name,
          type: id.flatMap { object.types.member(member.name, of: $0) }.map(spelling) ?? listed[member.name],
          offset: member.offset, size: member.bits?.storage ?? member.value.size,
          bits: member.bits.map { EventDescription.Bits(offset: $0.offset, width: $0.width) })
      })
  }

  /// The types of members that a package lists one by one.
  private func listedTypes(of map: BPFMap) -> [String: String] {
    guard case .members(let members)? = packaged.first(where: { $0.name == map.name })?.export else {
      let declared = object.declaredEvent(of: map).map(object.types.spelling)
      return declared.map { [RecordTypes.plainName: $0] } ?? [:]
    }
    return Dictionary(
      members.map { ($0.name, object.types.spelling(of: $0.typeID)) }, uniquingKeysWith: { first, _ in first })
  }

  private func spelling(_ member: TypeMember) -> String { object.types.spelling(of: member.type) }

  /// The type that a layout was made of: what the map declares, or one of its name; nil for what a package puts together.
  private func type(of record: RecordLayout, in map: BPFMap) -> TypeID? {
    let kinds = [TypeKind.struct, .union, .typedef]
    let candidates = [object.valueType(of: map)] + kinds.map { object.types.find(record.name, $0) }
    return candidates.lazy.compactMap(\.self).first { id in
      // A package may name the struct without a name behind a typedef.
      guard case .record(let other)? = try? object.types.layout(of: id) else { return false }
      return other.size == record.size && other.members == record.members
    }
  }
}
