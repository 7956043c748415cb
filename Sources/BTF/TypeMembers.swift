/// One member of a struct or union, with its type: for walking through memory a member at a time.
public struct TypeMember: Equatable, Sendable {
  public var name: String
  public var type: TypeID
  /// Bits from the start of the record that was asked about.
  public var bitOffset: Int
  /// Bits of a bit-field; 0 for other members.
  public var bitWidth: Int

  public init(name: String, type: TypeID, bitOffset: Int, bitWidth: Int = 0) {
    self.name = name
    self.type = type
    self.bitOffset = bitOffset
    self.bitWidth = bitWidth
  }
}

extension TypeGraph {
  /// The member of a struct or union, inner ones without names included; nil when there is none.
  ///
  /// ```swift
  /// let comm = graph.find("task_struct", .struct).flatMap { graph.member("comm", of: $0) }
  /// ```
  public func member(_ name: String, of id: TypeID) -> TypeMember? {
    var found: TypeMember?
    visitMembers(of: id) { member in
      if member.name == name { found = member }
      return found == nil
    }
    return found
  }

  /// The names of a struct's or union's members, inner ones without names included, in order.
  public func memberNames(of id: TypeID) -> [String] {
    var names: [String] = []
    visitMembers(of: id) { member in
      names.append(member.name)
      return true
    }
    return names
  }

  /// What an array holds, and how many; nil when the type is no array.
  public func element(of id: TypeID) -> (type: TypeID, count: Int)? {
    guard let record = record(resolve(id)), record.kind == .array else { return nil }
    return (record.word(0), Int(record.word(2)))
  }

  /// Hands over each member until `visit` answers false.
  private func visitMembers(of id: TypeID, _ visit: (TypeMember) -> Bool) {
    var pending: [(type: TypeID, bit: Int, depth: Int)] = [(id, 0, 0)]
    while let (type, start, depth) = pending.popLast() {
      guard let record = record(resolve(type)), record.kind.isRecord, depth < LayoutBuilder.maximumDepth else {
        continue
      }
      for index in 0..<record.count {
        let place = record.word(3 * index + 2)
        let bit = start + Int(record.flag ? place & 0xff_ffff : place)
        let member = TypeMember(
          name: text(at: record.word(3 * index)), type: record.word(3 * index + 1), bitOffset: bit,
          bitWidth: Int(record.flag ? place >> 24 : 0))
        if member.name.isEmpty {
          pending.append((member.type, bit, depth + 1))
        } else if !visit(member) {
          return
        }
      }
    }
  }
}
