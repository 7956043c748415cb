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

  /// Hands over each member, in the order of the definition, until `visit` answers false.
  private func visitMembers(of id: TypeID, _ visit: (TypeMember) -> Bool) {
    guard let outer = record(resolve(id)) else { return }
    var pending = [(record: outer, start: 0, rest: 0..<outer.count)]
    while let (record, start, rest) = pending.popLast() {
      guard record.kind.isRecord, let index = rest.first else { continue }
      pending.append((record, start, rest.dropFirst()))
      let member = member(record, index, start: start)
      if !member.name.isEmpty {
        if !visit(member) { return }
      } else if pending.count < LayoutBuilder.maximumDepth, let inner = self.record(resolve(member.type)) {
        pending.append((inner, member.bitOffset, 0..<inner.count))
      }
    }
  }

  /// Member `index` of a struct or union that stands at bit `start` of another one.
  private func member(_ record: TypeRecord, _ index: Int, start: Int) -> TypeMember {
    let place = record.word(3 * index + 2)
    return TypeMember(
      name: text(at: record.word(3 * index)), type: record.word(3 * index + 1),
      bitOffset: start + Int(record.flag ? place & 0xff_ffff : place),
      bitWidth: Int(record.flag ? place >> 24 : 0))
  }
}
