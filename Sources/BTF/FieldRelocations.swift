import Support

/// The CO-RE relocations of an object: places in its code that the loader fits to the types of the kernel it runs on.
///
/// Source of the format: `struct btf_ext_header`, `struct btf_ext_info_sec` and `struct bpf_core_relo` (linux/bpf.h).
///
/// ```swift
/// let relocations = try FieldRelocations(extBlob: Array(image.contents(section)), types: types)
/// print(relocations.count, relocations.types.map(types.spelling))
/// ```
public struct FieldRelocations: Equatable, Sendable {
  /// `struct bpf_core_relo`; later formats may append to it.
  private static let minimumRecordSize = 16
  /// `BPF_CORE_TYPE_ID_LOCAL`: asks the kernel for nothing.
  private static let localType: UInt32 = 6

  /// One place.
  struct Relocation: Equatable, Sendable {
    /// Of the object.
    var type: TypeID
    /// Where the object's strings have the way through its members: `0:3:1`.
    var path: UInt32
    /// `enum bpf_core_relo_kind`.
    var kind: UInt32

    /// About a member; the others are about the type itself.
    var isOfField: Bool { kind <= 5 }
    /// `BPF_CORE_TYPE_MATCHES`: whether all that the object knows of a type is the same.
    var isOfWholeTypes: Bool { kind >= 12 }
  }

  /// Those that ask the kernel for something.
  private(set) var all: [Relocation] = []
  /// How many places there are.
  public private(set) var count = 0
  /// The types that the kernel is asked about, in the order of their first mention.
  public private(set) var types: [TypeID] = []

  /// - Parameters:
  ///   - extBlob: the contents of `.BTF.ext`.
  ///   - types: the graph of the same object's `.BTF`.
  /// - Throws: `.scriptFailed`, starting with the graph's name, when the blob is malformed.
  public init(extBlob: [UInt8], types graph: TypeGraph) throws(MoontraceError) {
    let headerSize = try readHeaderSize(extBlob, name: graph.name, format: "BTF.ext")
    // Formats before CO-RE end before its fields.
    guard headerSize >= 32 else { return }
    let what = "\(graph.name): malformed BTF.ext: the relocations"
    let section = try sectionRange(extBlob, field: 24, headerSize: headerSize, what: what)
    if section.isEmpty { return }
    var seen: Set<TypeID> = []
    for place in try Self.records(extBlob, section, graph) {
      count += 1
      let relocation = Relocation(
        type: extBlob.littleEndianWord(at: place + 4), path: extBlob.littleEndianWord(at: place + 8),
        kind: extBlob.littleEndianWord(at: place + 12))
      if relocation.kind == Self.localType { continue }
      all.append(relocation)
      if seen.insert(relocation.type).inserted { types.append(relocation.type) }
    }
  }

  /// Where each relocation lies.
  private static func records(
    _ bytes: [UInt8], _ section: Range<Int>, _ graph: TypeGraph
  ) throws(MoontraceError) -> [Int] {
    let cutOff = graph.failure("malformed BTF.ext: the relocations are cut off")
    guard section.count >= 4 else { throw cutOff }
    let size = Int(bytes.littleEndianWord(at: section.lowerBound))
    guard size >= minimumRecordSize, size % 4 == 0 else {
      throw graph.failure("malformed BTF.ext: relocation records of \(size) bytes")
    }
    var places: [Int] = []
    var place = section.lowerBound + 4
    while place < section.upperBound {
      guard section.upperBound - place >= 8 else { throw cutOff }
      let count = Int(bytes.littleEndianWord(at: place + 4))
      place += 8
      guard count <= (section.upperBound - place) / size else { throw cutOff }
      places += (0..<count).map { place + $0 * size }
      place += count * size
    }
    return places
  }
}
