extension TypeGraph {
  /// What a search asks for.
  struct Search: Hashable {
    var name: String
    /// A bit for each kind that will do, by its number.
    var kinds: UInt32

    init(_ name: String, _ kinds: [TypeKind]) {
      self.name = name
      self.kinds = kinds.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    }
  }

  /// The first type of that name and one of those kinds; a module's own types come before the kernel's.
  ///
  /// Walks the type headers: no dictionary of them is built, and a search of the whole kernel takes about a
  /// millisecond. What it finds is kept, because one probe after another asks for the same few types.
  ///
  /// ```swift
  /// graph.find("sk_buff", .struct, .union)
  /// ```
  public func find(_ name: String, _ kinds: TypeKind...) -> TypeID? {
    find(Search(name, kinds))
  }

  private func find(_ search: Search) -> TypeID? {
    findOwn(search) ?? base?.find(search)
  }

  /// The same without the base's types: what a module itself brings along.
  public func findOwn(_ name: String, _ kinds: TypeKind...) -> TypeID? {
    findOwn(Search(name, kinds))
  }

  private func findOwn(_ search: Search) -> TypeID? {
    if let known = found.withLock({ $0[search] }) { return known }
    let id = walk(search)
    found.withLock { $0[search] = .some(id) }
    return id
  }

  private func walk(_ search: Search) -> TypeID? {
    let name = Array(search.name.utf8)
    for (index, offset) in blob.offsets.enumerated() {
      let header = TypeHeader(blob.bytes, at: Int(offset))
      guard search.kinds >> UInt32(header.kindNumber) & 1 == 1, text(at: header.nameOffset, is: name) else { continue }
      return firstID + TypeID(index)
    }
    return nil
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
