/// Writes some of a graph's types as a BTF blob of their own, with new numbers in the old order.
struct TypeWriter {
  private let graph: TypeGraph
  private let selection: TypeSelection
  private var numbers: [TypeID: UInt32] = [:]
  private var strings: [UInt8] = [0]
  private var names: [String: UInt32] = ["": 0]
  private var types: [UInt8] = []

  init(_ graph: TypeGraph, _ selection: TypeSelection) {
    self.graph = graph
    self.selection = selection
  }

  mutating func blob() -> [UInt8] {
    let ids = selection.types.sorted()
    for (index, id) in ids.enumerated() { numbers[id] = UInt32(index + 1) }
    for id in ids { if let record = graph.record(id) { write(record) } }
    // struct btf_header: magic and version, its length, then offset and length of both sections.
    let (size, length) = (UInt32(types.count), UInt32(strings.count))
    let header = [UInt32(TypeBlob.magic) | 1 << 16, 24, 0, size, size, length]
    return header.flatMap(Self.bytes) + types + strings
  }

  /// The number of a type in the blob; 0, `void`, for those that are not in it.
  private func number(_ id: TypeID) -> UInt32 { numbers[id] ?? 0 }

  private mutating func write(_ record: TypeGraph.TypeRecord) {
    let members = record.kind.isRecord ? (selection.members[record.id] ?? []).sorted() : Array(0..<record.count)
    let info = UInt32(record.kind.rawValue) << 24 | UInt32(members.count) | (record.flag ? 1 << 31 : 0)
    var words = [name(record.nameOffset), info, sizeOrType(record)]
    switch record.kind {
    case .integer: words.append(record.word(0))
    case .array: words += [number(record.word(0)), number(record.word(1)), record.word(2)]
    case .struct, .union:
      for index in members {
        words += [name(record.word(3 * index)), number(record.word(3 * index + 1)), record.word(3 * index + 2)]
      }
    case .enum: for index in members { words += [name(record.word(2 * index)), record.word(2 * index + 1)] }
    case .enum64:
      for index in members { words += [name(record.word(3 * index))] + (1...2).map { record.word(3 * index + $0) } }
    case .prototype:
      for index in members { words += [name(record.word(2 * index)), number(record.word(2 * index + 1))] }
    default: break
    }
    types += words.flatMap(Self.bytes)
  }

  private func sizeOrType(_ record: TypeGraph.TypeRecord) -> UInt32 {
    switch record.kind {
    case .pointer, .prototype: number(record.sizeOrType)
    default: record.kind.isTransparent ? number(record.sizeOrType) : record.sizeOrType
    }
  }

  private mutating func name(_ offset: UInt32) -> UInt32 {
    let text = graph.text(at: offset)
    if let known = names[text] { return known }
    let place = UInt32(strings.count)
    names[text] = place
    strings += Array(text.utf8) + [0]
    return place
  }

  private static func bytes(_ word: UInt32) -> [UInt8] {
    withUnsafeBytes(of: word.littleEndian) { Array($0) }
  }
}

extension TypeGraph {
  /// The types that a program's relocations need, as a blob of their own: of a kernel's megabytes some hundred bytes.
  ///
  /// ```swift
  /// let needed = kernel.reduced(to: relocations, of: object.types)
  /// ```
  ///
  /// - Parameters:
  ///   - relocations: the program's; a few kinds of questions about whole types take all of them.
  ///   - object: the program's own types.
  public func reduced(to relocations: FieldRelocations, of object: TypeGraph) -> [UInt8] {
    if relocations.all.contains(where: \.isOfWholeTypes) { return blob.bytes }
    var writer = TypeWriter(self, TypeSelection(of: self, for: relocations.all, in: object))
    return writer.blob()
  }
}
