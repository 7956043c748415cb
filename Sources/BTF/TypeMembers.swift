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
    let name = Array(name.utf8)
    var found: TypeMember?
    visitMembers(of: id) { record, index, start in
      if text(at: record.word(3 * index), is: name) { found = member(record, index, start: start) }
      return found == nil
    }
    return found
  }

  /// The names of a struct's or union's members, inner ones without names included, in order.
  public func memberNames(of id: TypeID) -> [String] {
    var names: [String] = []
    visitMembers(of: id) { record, index, _ in
      names.append(text(at: record.word(3 * index)))
      return true
    }
    return names
  }

  /// What an array holds, and how many; nil when the type is no array.
  public func element(of id: TypeID) -> (type: TypeID, count: Int)? {
    guard let record = record(resolve(id)), record.kind == .array else { return nil }
    return (record.word(0), Int(record.word(2)))
  }

  /// Hands over the record, index and start of each member, as `member(_:_:start:)` takes them, in the order of the
  /// definition, until `visit` answers false.
  private func visitMembers(of id: TypeID, _ visit: (_ record: TypeRecord, _ index: Int, _ start: Int) -> Bool) {
    if let record = record(resolve(id)) { _ = visitMembers(of: record, start: 0, depth: 1, visit) }
  }

  /// The same for a record that stands at bit `start` of the outermost one; whether `visit` wants more.
  private func visitMembers(
    of record: TypeRecord, start: Int, depth: Int, _ visit: (TypeRecord, Int, Int) -> Bool
  ) -> Bool {
    guard record.kind.isRecord else { return true }
    for index in 0..<record.count {
      if hasText(at: record.word(3 * index)) {
        if !visit(record, index, start) { return false }
        continue
      }
      let member = member(record, index, start: start)
      guard depth < LayoutBuilder.maximumDepth, let inner = self.record(resolve(member.type)) else { continue }
      if !visitMembers(of: inner, start: member.bitOffset, depth: depth + 1, visit) { return false }
    }
    return true
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
