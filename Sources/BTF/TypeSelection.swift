/// Which of a kernel's types the relocations of a program reach: what the loader needs to resolve them.
///
/// A relocation names a type of the object and a way through its members; the loader takes each type of the kernel that has
/// that name and finds the same way in it (libbpf's relo_core.c). Of structs on the way only the members that it takes are
/// needed, of those that it ends in none.
struct TypeSelection {
  private let kernel: TypeGraph
  private let object: TypeGraph
  private(set) var types: Set<TypeID> = []
  /// By struct or union, the numbers of the members.
  private(set) var members: [TypeID: Set<Int>] = [:]
  /// Pointers whose targets are needed too.
  private var pointers: Set<TypeID> = []

  init(of kernel: TypeGraph, for relocations: [FieldRelocations.Relocation], in object: TypeGraph) {
    self.kernel = kernel
    self.object = object
    let candidates = self.candidates(Set(relocations.map { name(of: $0.type) }))
    for relocation in relocations {
      let kind = object.kind(of: relocation.type)
      for type in candidates[name(of: relocation.type)] ?? [] where kernel.kind(of: type).isAlike(kind) {
        if relocation.isOfField {
          follow(object.path(of: relocation), from: relocation.type, in: type)
        } else {
          add(type, followsPointers: true)
        }
      }
    }
  }

  /// The types of the kernel by what they are called, for those that are asked for.
  private func candidates(_ names: Set<String>) -> [String: [TypeID]] {
    var found: [String: [TypeID]] = [:]
    for id in 1..<kernel.endID {
      let name = Self.essential(kernel.name(of: id))
      if !name.isEmpty, names.contains(name) { found[name, default: []].append(id) }
    }
    return found
  }

  private func name(of type: TypeID) -> String { Self.essential(object.name(of: type)) }

  /// Without what tells versions of a type apart: `task_struct` of `task_struct___old`.
  private static func essential(_ name: String) -> String {
    name.firstRange(of: "___").map { String(name[..<$0.lowerBound]) } ?? name
  }

  // MARK: Ways through members

  private mutating func follow(_ path: [Int], from root: TypeID, in candidate: TypeID) {
    var (own, type) = (object.resolve(root), kernel.resolve(candidate))
    add(candidate)
    // The first number is an element of what a pointer points to.
    for index in path.dropFirst() {
      if let element = object.element(of: own) {
        guard let other = kernel.element(of: type) else { return }
        (own, type) = (object.resolve(element.type), kernel.resolve(other.type))
        continue
      }
      guard let member = object.ownMember(index, of: own) else { return }
      own = object.resolve(member.type)
      // What has no name is passed through on the way to what has one.
      if member.name.isEmpty { continue }
      guard let found = take(member.name, of: type) else { return }
      add(found)
      type = kernel.resolve(found)
    }
  }

  /// Adds a member of a struct, and those without names that it is in; its type.
  private mutating func take(_ name: String, of type: TypeID, depth: Int = 0) -> TypeID? {
    guard depth < TypeGraph.maximumChain, let record = kernel.record(type), record.kind.isRecord else { return nil }
    for index in 0..<record.count {
      guard let member = kernel.ownMember(index, of: type) else { continue }
      let inner = kernel.resolve(member.type)
      let found =
        member.name == name ? member.type : member.name.isEmpty ? take(name, of: inner, depth: depth + 1) : nil
      guard let found else { continue }
      add(member.type)
      members[type, default: []].insert(index)
      return found
    }
    return nil
  }

  // MARK: What belongs to a type

  /// What stands among types, and no value is of.
  private static let noTypes: Set<TypeKind> = [.function, .variable, .dataSection, .declarationTag]

  private mutating func add(_ type: TypeID, followsPointers: Bool = false) {
    var pending = [type]
    while let id = pending.popLast() {
      guard let record = kernel.record(id), !Self.noTypes.contains(record.kind) else { continue }
      let isNew = types.insert(id).inserted
      switch record.kind {
      case .pointer:
        if followsPointers, pointers.insert(id).inserted { pending.append(record.sizeOrType) }
      case .array:
        if isNew { pending += [record.word(0), record.word(1)] }
      case .prototype:
        if isNew { pending += [record.sizeOrType] + (0..<record.count).map { record.word(2 * $0 + 1) } }
      default:
        if record.kind.isTransparent, isNew || followsPointers { pending.append(record.sizeOrType) }
      }
      if pending.count > Int(kernel.endID) { return }
    }
  }
}

extension TypeKind {
  fileprivate func isAlike(_ other: TypeKind) -> Bool {
    self == other || [.enum, .enum64].contains(self) && [.enum, .enum64].contains(other)
  }
}

extension TypeGraph {
  /// A member of a struct or union itself, by its number; nil when there is none.
  fileprivate func ownMember(_ index: Int, of type: TypeID) -> (name: String, type: TypeID)? {
    guard let record = record(type), record.kind.isRecord, (0..<record.count).contains(index) else { return nil }
    return (text(at: record.word(3 * index)), record.word(3 * index + 1))
  }

  /// The numbers of `0:3:1`; none when they are malformed, as a loader will say.
  fileprivate func path(of relocation: FieldRelocations.Relocation) -> [Int] {
    let parts = text(at: relocation.path).split(separator: ":")
    let numbers = parts.compactMap { Int($0) }
    return numbers.count == parts.count ? Array(numbers.prefix(Self.maximumChain)) : []
  }
}
