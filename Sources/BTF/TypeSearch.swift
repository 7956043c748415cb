extension TypeGraph {
  /// The first type of that name and one of those kinds; a module's own types come before the kernel's.
  ///
  /// Walks the type headers: no dictionary is built, and a search of the whole kernel takes about a millisecond.
  ///
  /// ```swift
  /// graph.find("sk_buff", .struct, .union)
  /// ```
  public func find(_ name: String, _ kinds: TypeKind...) -> TypeID? {
    find(Array(name.utf8), Set(kinds))
  }

  private func find(_ name: [UInt8], _ kinds: Set<TypeKind>) -> TypeID? {
    findOwn(name, kinds) ?? base?.find(name, kinds)
  }

  /// The same without the base's types: what a module itself brings along.
  public func findOwn(_ name: String, _ kinds: TypeKind...) -> TypeID? {
    findOwn(Array(name.utf8), Set(kinds))
  }

  private func findOwn(_ name: [UInt8], _ kinds: Set<TypeKind>) -> TypeID? {
    let mask = kinds.reduce(into: UInt32(0)) { $0 |= 1 << UInt32($1.rawValue) }
    for (index, offset) in blob.offsets.enumerated() {
      let header = TypeHeader(blob.bytes, at: Int(offset))
      guard mask >> UInt32(header.kindNumber) & 1 == 1, hasName(header, name) else { continue }
      return firstID + TypeID(index)
    }
    return nil
  }

  private func hasName(_ header: TypeHeader, _ name: [UInt8]) -> Bool {
    let offset = Int(header.nameOffset)
    if offset < firstStringOffset, let base { return base.hasName(header, name) }
    return blob.text(at: offset - firstStringOffset, is: name)
  }

  /// The types of a kind by name, for more than a few searches; of those that share a name, the one that `find` finds.
  public func index(of kind: TypeKind) -> [String: TypeID] {
    var types = base?.index(of: kind) ?? [:]
    var allowance = 16 * blob.bytes.count
    for (index, offset) in blob.offsets.enumerated().reversed() where allowance > 0 {
      let header = TypeHeader(blob.bytes, at: Int(offset))
      guard header.kindNumber == kind.rawValue else { continue }
      let name = text(at: header.nameOffset)
      if !name.isEmpty { types[name] = firstID + TypeID(index) }
      allowance -= name.utf8.count
    }
    return types
  }

  /// The names of all types of a kind, the base's included, for "did you mean …?".
  ///
  /// Stops early in blobs whose types share so much text that their names together dwarf the blob.
  public func names(_ kind: TypeKind) -> [String] {
    (base?.names(kind) ?? []) + ownNames(kind)
  }

  /// The same without the base's.
  public func ownNames(_ kind: TypeKind) -> [String] {
    var allowance = 16 * blob.bytes.count
    var names: [String] = []
    for offset in blob.offsets where allowance > 0 {
      let header = TypeHeader(blob.bytes, at: Int(offset))
      guard header.kindNumber == kind.rawValue else { continue }
      let name = text(at: header.nameOffset)
      if !name.isEmpty { names.append(name) }
      allowance -= name.utf8.count
    }
    return names
  }
}
