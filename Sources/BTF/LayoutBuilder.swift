import Support

/// Works out one layout, within bounds that no real type reaches but a hostile blob would.
struct LayoutBuilder {
  /// Types inside types: arrays of structs of unions of ….
  static let maximumDepth = 64
  /// Members and enum names in one layout, those of nested types counted each time; the largest in
  /// a 6.18 kernel has 2392.
  static let maximumParts = 1 << 18

  let graph: TypeGraph
  private var parts = 0

  init(graph: TypeGraph) {
    self.graph = graph
  }

  mutating func layout(of id: TypeID, depth: Int = 0) throws(MoontraceError) -> ValueLayout {
    guard depth < Self.maximumDepth else {
      throw graph.failure("malformed BTF: \(graph.describe(id)) contains itself, or \(depth) others in one another")
    }
    let (record, typedefName) = try behindTypedefs(id)
    switch record.kind {
    case .integer: return try integer(record)
    case .float: return [4, 8].contains(record.sizeOrType) ? .float(size: record.size) : .bytes(size: record.size)
    case .pointer: return .pointer
    case .enum, .enum64: return try enumeration(record)
    case .array: return try array(record, depth: depth)
    case .struct, .union: return .record(try self.record(record, typedefName: typedefName, depth: depth))
    case .variable: return try layout(of: record.sizeOrType, depth: depth + 1)
    default: throw withoutBytes(record)
    }
  }

  /// The type behind typedefs and qualifiers, and the name of the last typedef on the way.
  func behindTypedefs(_ id: TypeID) throws(MoontraceError) -> (TypeGraph.TypeRecord, typedefName: String) {
    var nameOffset: UInt32 = 0
    var current = id
    for _ in 0..<TypeGraph.maximumChain {
      guard let record = graph.record(current) else { throw missing(current, from: id) }
      guard record.kind.isTransparent else { return (record, graph.text(at: nameOffset)) }
      if record.kind == .typedef { nameOffset = record.nameOffset }
      current = record.sizeOrType
    }
    throw graph.failure(
      "malformed BTF: \(graph.describe(id)) stands for itself, or for more types than \(TypeGraph.maximumChain)")
  }

  private func missing(_ id: TypeID, from user: TypeID) -> MoontraceError {
    if user == 0 { return graph.failure("void has no bytes to read") }
    if id == 0 { return graph.failure("\(graph.describe(user)) is void, which has no bytes to read") }
    let place = user == id ? "" : " (from \(graph.describe(user)))"
    return graph.failure("malformed BTF: there is no type \(id)\(place); the last is \(graph.endID - 1)")
  }

  private func withoutBytes(_ record: TypeGraph.TypeRecord) -> MoontraceError {
    if record.kind == .forward {
      let name = graph.text(at: record.nameOffset)
      return graph.failure("struct or union '\(name)' (type \(record.id)) is only declared here, not defined")
    }
    return graph.failure("\(graph.describe(record.id)) has no bytes to read")
  }

  /// Counts `count` parts towards the limit.
  mutating func spend(_ count: Int, on record: TypeGraph.TypeRecord) throws(MoontraceError) {
    parts += count
    guard parts <= Self.maximumParts else {
      throw graph.failure("\(graph.describe(record.id)) has too many parts: the limit is \(Self.maximumParts)")
    }
  }

  /// A name inside `record`; long ones count as several parts.
  mutating func name(at offset: UInt32, in record: TypeGraph.TypeRecord) throws(MoontraceError) -> String {
    guard Int(offset) < max(graph.endOfStrings, 1) else {
      throw graph.failure("malformed BTF: a name in \(graph.describe(record.id)) lies outside the string section")
    }
    let name = graph.text(at: offset)
    try spend(1 + name.utf8.count / 64, on: record)
    return name
  }

  private mutating func array(_ array: TypeGraph.TypeRecord, depth: Int) throws(MoontraceError) -> ValueLayout {
    let elementID = array.word(0)
    let count = Int(array.word(2))
    let element = try layout(of: elementID, depth: depth + 1)
    if case .text = element, try behindTypedefs(elementID).0.kind == .integer { return .text(count: count) }
    let stride = element.size
    // Elements without bytes (`struct {} x[4]`) give a reader nothing to tell them apart by.
    guard stride > 0 else { return .bytes(size: 0) }
    let (size, overflow) = stride.multipliedReportingOverflow(by: count)
    guard !overflow, size <= UInt32.max else {
      throw graph.failure("malformed BTF: \(graph.describe(array.id)) of \(count) elements is larger than 4 GiB")
    }
    return .array(element: element, stride: stride, count: count)
  }

  private mutating func enumeration(_ record: TypeGraph.TypeRecord) throws(MoontraceError) -> ValueLayout {
    guard [1, 2, 4, 8].contains(record.size) else {
      throw graph.failure("malformed BTF: \(graph.describe(record.id)) takes \(record.size) bytes")
    }
    var names: [EnumName] = []
    for index in 0..<record.count {
      let (nameOffset, value) = record.enumerator(index)
      names.append(EnumName(name: try name(at: nameOffset, in: record), value: value))
    }
    return .enumeration(size: record.size, signed: record.flag, names: names)
  }
}

extension TypeGraph.TypeRecord {
  var size: Int { Int(sizeOrType) }

  /// Name and value `index` of an enum (`struct btf_enum`) or enum64 (`struct btf_enum64`).
  fileprivate func enumerator(_ index: Int) -> (nameOffset: UInt32, value: Int64) {
    if kind == .enum64 {
      let bits = UInt64(word(3 * index + 2)) << 32 | UInt64(word(3 * index + 1))
      return (word(3 * index), Int64(bitPattern: bits))
    }
    let bits = word(2 * index + 1)
    return (word(2 * index), flag ? Int64(Int32(bitPattern: bits)) : Int64(bits))
  }
}
