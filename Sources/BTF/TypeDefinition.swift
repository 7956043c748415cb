extension TypeGraph {
  /// A type as C defines it, its members followed by their places: bytes from its start and, for bit-fields, the bit.
  ///
  /// ```c
  /// struct list_head {               /* 16 bytes */
  ///   struct list_head *next;        /*    0 */
  ///   struct list_head *prev;        /*    8 */
  /// };
  /// ```
  public func definition(of id: TypeID) -> String {
    var definition = TypeDefinition(graph: self)
    definition.add(id)
    return definition.text
  }
}

/// Writes the definition of one type; inner types without names stand where they are used.
private struct TypeDefinition {
  let graph: TypeGraph
  private var lines: [(text: String, note: String)] = []
  /// Members still to be written: hostile blobs nest without end. The largest types of a 6.18 kernel have some 2400.
  private var allowance = 1 << 14

  init(graph: TypeGraph) {
    self.graph = graph
  }

  /// With the notes in one column, for lines of common length.
  var text: String {
    let width = min(60, (lines.filter { !$0.note.isEmpty }.map(\.text.count).max() ?? 0) + 2)
    return lines.map { line in
      let gap = String(repeating: " ", count: max(2, width - line.text.count))
      return line.note.isEmpty ? "\(line.text)\n" : "\(line.text)\(gap)/* \(line.note) */\n"
    }.joined()
  }

  mutating func add(_ id: TypeID) {
    guard let record = graph.record(id) else { return }
    if record.kind == .typedef, isBare(record.sizeOrType) {
      addBody(record.sizeOrType, indent: 0, start: 0, before: "typedef ", after: " \(graph.name(of: id));")
    } else if record.kind == .typedef {
      lines.append(("typedef \(spell(record.sizeOrType, graph.name(of: id)));", ""))
    } else {
      addBody(id, indent: 0, start: 0, before: "", after: ";")
    }
  }

  private func spell(_ id: TypeID, _ name: String) -> String {
    var speller = TypeSpeller(graph: graph)
    return speller.spell(id, around: name)
  }

  /// Whether it is a struct, union or enum without a name, which can be told only by its body.
  private func isBare(_ id: TypeID) -> Bool {
    guard let record = graph.record(id), graph.name(of: id).isEmpty else { return false }
    return record.kind.isRecord || record.kind == .enum || record.kind == .enum64
  }

  private mutating func addBody(_ id: TypeID, indent: Int, start: Int, before: String, after: String) {
    guard let record = graph.record(id), indent < LayoutBuilder.maximumDepth else { return }
    let margin = String(repeating: "  ", count: indent)
    let name = graph.name(of: id)
    let head = "\(margin)\(before)\(record.kind)\(name.isEmpty ? "" : " \(name)") {"
    lines.append((head, indent == 0 ? "\(record.sizeOrType) bytes" : ""))
    if record.kind.isRecord {
      for index in 0..<record.count where allowance > 0 { addMember(record, index, indent: indent + 1, start: start) }
    } else {
      addNames(id, margin: margin)
    }
    lines.append(("\(margin)}\(after)", ""))
  }

  private mutating func addMember(_ record: TypeGraph.TypeRecord, _ index: Int, indent: Int, start: Int) {
    allowance -= 1
    let (type, place) = (record.word(3 * index + 1), record.word(3 * index + 2))
    let name = graph.text(at: record.word(3 * index))
    let bit = start + Int(record.flag ? place & 0xff_ffff : place)
    let width = record.flag ? place >> 24 : 0
    if isBare(type) {
      addBody(type, indent: indent, start: bit, before: "", after: name.isEmpty ? ";" : " \(name);")
      return
    }
    let declaration = spell(type, name) + (width > 0 ? ":\(width)" : "")
    let offset = String(bit / 8)
    let note = String(repeating: " ", count: max(0, 5 - offset.count)) + offset + (width > 0 ? ":\(bit % 8)" : "")
    lines.append((String(repeating: "  ", count: indent) + declaration + ";", note))
  }

  private mutating func addNames(_ id: TypeID, margin: String) {
    guard case .enumeration(_, let isSigned, let names)? = try? graph.layout(of: id) else { return }
    for name in names {
      let value = isSigned ? "\(name.value)" : "\(UInt64(bitPattern: name.value))"
      lines.append(("\(margin)  \(name.name) = \(value),", ""))
    }
  }
}
