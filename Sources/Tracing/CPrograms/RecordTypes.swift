import BTF
import KernelLoader
import Packages
import Support

/// Finds how the records of an object's buffers read.
///
/// In this order: what the user named (`--event`), what the package says of the map, the type that the map's definition
/// declares, the package's one exported type, and the one type of the object that is as large as what its code sends.
final class RecordTypes {
  private let object: BPFObject
  private let meta: PackageMeta?
  private var named: [String: RecordLayout] = [:]
  private lazy var sentSizes = object.recordSizes

  init(_ object: BPFObject, _ meta: PackageMeta?) {
    self.object = object
    self.meta = meta
  }

  /// Takes `MAP=struct NAME` of the command line. Throws `.usage` for what is not there.
  func name(_ text: String) throws(MoontraceError) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw MoontraceError(.usage, "--event: expected MAP=struct NAME, got '\(text)'")
    }
    let buffers = object.maps.filter(\.isEventBuffer).map(\.name)
    guard buffers.contains(parts[0]) else {
      throw MoontraceError(
        .usage,
        "--event: \(object.name) has no ring or perf buffer '\(parts[0])'\(suggestionHint(for: parts[0], in: buffers))",
        remedy: buffers.isEmpty ? nil : "it has \(buffers.joined(separator: ", "))")
    }
    guard let record = try record(named: parts[1]) else {
      var error = unknown(parts[1])
      error.code = .usage
      throw error
    }
    named[parts[0]] = record
  }

  /// The type of a name such as `struct event`, `event_t` or `u64`; nil when the object has none.
  func record(named name: String) throws(MoontraceError) -> RecordLayout? {
    guard let id = object.types.id(ofC: name) ?? object.types.find(name, .struct, .union) else { return nil }
    return Self.record(try object.types.layout(of: id), of: name)
  }

  /// What the one column of records is called that are no struct.
  static let plainName = "value"

  private static func record(_ layout: ValueLayout, of name: String) -> RecordLayout {
    if case .record(let record) = layout { return record }
    return RecordLayout(
      name: name, size: layout.size, members: [MemberLayout(name: plainName, offset: 0, value: layout)])
  }

  /// The error for a name that no type has.
  func unknown(_ name: String) -> MoontraceError {
    let bare = name.split(separator: " ").last.map(String.init) ?? name
    return MoontraceError(
      .scriptFailed,
      "\(object.name): no type '\(name)' in its BTF\(suggestionHint(for: bare, in: object.types.names(.struct)))",
      remedy: "a type stays in the BTF when a map's definition names it: __type(value, struct NAME)")
  }

  /// How the records of a buffer read; nil when nothing says so.
  func record(of map: BPFMap) throws(MoontraceError) -> RecordLayout? {
    if let record = named[map.name] { return record }
    let rule = meta?.skeleton.maps.first { $0.name == map.name }?.export ?? .none
    if let record = try exported(rule, map) { return record }
    if let declared = map.declaredEvent { return Self.record(declared, of: map.name) }
    if let record = try onlyExportedType() { return record }
    return try sentType(map)
  }

  // MARK: What a package says

  private func exported(_ rule: ExportRule, _ map: BPFMap) throws(MoontraceError) -> RecordLayout? {
    switch rule {
    case .none, .valueType: return nil
    case .type(let id): return try record(id, "export_config of map '\(map.name)'")
    case .members(let members): return try custom(members, map)
    }
  }

  private func record(_ id: TypeID, _ place: String) throws(MoontraceError) -> RecordLayout {
    guard case .record(let record) = try object.types.layout(of: id) else {
      throw MoontraceError(.scriptFailed, "\(object.name): \(place): type \(id) is no struct or union")
    }
    return record
  }

  /// A record that no single type describes.
  private func custom(_ members: [ExportedMember], _ map: BPFMap) throws(MoontraceError) -> RecordLayout {
    var layouts: [MemberLayout] = []
    for member in members {
      guard (0..<1 << 29).contains(member.offset) else {
        throw MoontraceError(
          .scriptFailed,
          "\(object.name): export_config of map '\(map.name)': member '\(member.name)' has offset \(member.offset)")
      }
      layouts.append(
        MemberLayout(
          name: member.name, offset: member.offset, value: try object.types.layout(of: member.typeID)))
    }
    let size = layouts.map { $0.offset + $0.value.size }.max() ?? 0
    return RecordLayout(name: map.name, size: size, members: layouts)
  }

  /// Where all exports are of one type, that type, for the one buffer there is.
  private func onlyExportedType() throws(MoontraceError) -> RecordLayout? {
    guard let meta, !meta.exportsEachMap, let type = meta.exportTypes.first,
      object.maps.count(where: \.isEventBuffer) == 1
    else { return nil }
    return try record(type.typeID, "export_types: '\(type.name)'")
  }

  // MARK: What the code sends

  /// The type that is as large as all records that the code sends to a map; nil when several are.
  private func sentType(_ map: BPFMap) throws(MoontraceError) -> RecordLayout? {
    guard let sizes = sentSizes[map.name], sizes.count == 1, let size = sizes.first else { return nil }
    let exported = (meta?.exportTypes ?? []).filter { $0.size == size }
    if exported.count == 1 { return try record(exported[0].typeID, "export_types: '\(exported[0].name)'") }
    var fitting = candidates(size)
    if fitting.count > 1 {
      let others = Set(object.maps.flatMap { [$0.key, $0.value] }.compactMap(\.?.recordName))
      fitting.removeAll { others.contains($0.name) }
    }
    return fitting.count == 1 && !isKernels(fitting[0]) ? fitting[0] : nil
  }

  /// Whether the kernel has the type too: then programs read it and don't send it.
  private func isKernels(_ record: RecordLayout) -> Bool {
    guard let kernel = try? KernelTypes.graph(), let id = kernel.find(record.name, .struct),
      case .record(let other)? = try? kernel.layout(of: id)
    else { return false }
    return other.size == record.size
  }

  private func candidates(_ size: Int) -> [RecordLayout] {
    (1..<object.types.endID).compactMap { id in
      guard object.types.kind(of: id) == .struct, !object.types.name(of: id).isEmpty,
        case .record(let record)? = try? object.types.layout(of: id), record.size == size
      else { return nil }
      return record
    }
  }
}

extension BPFMap {
  /// Whether records come from it.
  var isEventBuffer: Bool {
    switch shape {
    case .ringBuffer, .perfEventArray: true
    default: false
    }
  }
}

extension BPFObject {
  /// The type that a buffer's definition gives its events, without typedefs; nil when it gives none. Before the load only:
  /// libbpf forgets it then.
  func declaredEvent(of map: BPFMap) -> TypeID? {
    map.declaredEvent == nil ? nil : valueType(of: map).map(types.resolve)
  }
}

extension BPFMap {
  /// How the events of a buffer read by its definition. The values of a perf buffer are numbers of events, unless they are
  /// a struct.
  fileprivate var declaredEvent: ValueLayout? {
    if case .record? = value { return value }
    return shape == .ringBuffer ? value : nil
  }
}

extension ValueLayout {
  fileprivate var recordName: String? {
    if case .record(let record) = self { record.name } else { nil }
  }
}
