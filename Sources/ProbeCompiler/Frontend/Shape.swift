/// What values on different ways have in common: the form in which they meet.
///
/// A shape says which operands a value of it has; `Frontend.operands(of:as:)` and `Frontend.value(of:from:)` go from
/// a value to these operands and back.
enum Shape: Equatable {
  /// The same on all ways, and known to the compiler.
  case fixed(Value)
  case number
  case flag
  indirect case string(StringMemory)
  indirect case pointer(PointerTarget)
  indirect case named(DataType.Naming, Int)
  case table(items: [Shape], fields: [Field])
  /// Several kinds, ascending.
  case choice([Shape])
  indirect case mixed(String, String)

  struct Field: Equatable {
    var name: String
    var shape: Shape
  }

  var kind: Kind? {
    switch self {
    case .fixed(let value): value.kind
    case .number: .integer
    case .flag: .boolean
    case .string: .string
    case .pointer: .pointer
    case .named: .named
    case .table: .object
    case .choice, .mixed: nil
    }
  }

  var typeName: String {
    switch self {
    case .fixed(let value): value.typeName
    case .number: "number"
    case .flag: "boolean"
    case .string: "string"
    case .pointer: "pointer"
    case .named(let naming, _): naming.typeName
    case .table: "table"
    case .choice(let shapes): shapes.map(\.typeName).joined(separator: " or ")
    case .mixed(let one, let other): "\(one) or \(other)"
    }
  }

  private var parts: [Shape] {
    if case .choice(let shapes) = self { shapes } else { [self] }
  }
}

// Finding what two shapes have in common.
extension Shape {
  /// Makes room for text of so many bytes, with or without its length before it.
  typealias NewMemory = (_ capacity: Int32, _ isCounted: Bool) -> StringMemory

  /// - Parameter memory: makes room for text that comes from different places.
  func joined(_ other: Shape, memory: NewMemory) -> Shape {
    if self == other { return self }
    if case .mixed = self { return self }
    if case .mixed = other { return other }
    if kind != nil, kind == other.kind { return joinedInKind(other, memory: memory) }
    guard parts.allSatisfy({ $0.kind != nil }), other.parts.allSatisfy({ $0.kind != nil }) else {
      return .mixed(typeName, other.typeName)
    }
    var merged = parts
    for part in other.parts {
      if let index = merged.firstIndex(where: { $0.kind == part.kind }) {
        merged[index] = merged[index].joined(part, memory: memory)
        if case .mixed = merged[index] { return .mixed(typeName, other.typeName) }
      } else {
        merged.append(part)
      }
    }
    return .choice(merged.sorted { ($0.kind ?? .nil) < ($1.kind ?? .nil) })
  }

  private func joinedInKind(_ other: Shape, memory: NewMemory) -> Shape {
    switch kind {
    case .integer: return .number
    case .boolean: return .flag
    case .string:
      // A place that was made for this meeting takes more text, if that fits.
      let isCounted = isCounted || other.isCounted
      if case .string(let own) = self, case .slot = own.base, own.capacity >= other.capacity, own.isCounted == isCounted
      {
        return self
      }
      return .string(memory(max(capacity, other.capacity), isCounted))
    case .named:
      guard case .named(let one, _) = self, case .named(let two, _) = other, one.isAddress, two.isAddress else { break }
      return .named(.address, 3)
    case .object: return joinedTable(other, memory: memory)
    case .pointer:
      guard case .pointer(let one) = self, case .pointer(let other) = other, let both = one.joined(other) else {
        break
      }
      return .pointer(both)
    default: break
    }
    return .mixed(typeName, other.typeName)
  }

  private var isCounted: Bool {
    switch self {
    case .fixed(.text(let bytes)): bytes.contains(0)
    case .fixed(.string(let memory)), .string(let memory): memory.isCounted
    default: false
    }
  }

  private var capacity: Int32 {
    switch self {
    case .fixed(.text(let bytes)): Int32(max(bytes.count, 1) + 7) / 8 * 8
    case .fixed(.string(let memory)), .string(let memory): memory.capacity
    default: 8
    }
  }

  private func joinedTable(_ other: Shape, memory: NewMemory) -> Shape {
    guard case .table(let items, let fields) = self, case .table(let otherItems, let otherFields) = other else {
      return .mixed(typeName, other.typeName)
    }
    let mergedItems = (0..<max(items.count, otherItems.count)).map { index in
      let mine = index < items.count ? items[index] : .fixed(.nil)
      return mine.joined(index < otherItems.count ? otherItems[index] : .fixed(.nil), memory: memory)
    }
    var merged: [Field] = []
    for field in fields {
      let theirs = otherFields.first { $0.name == field.name }?.shape ?? .fixed(.nil)
      merged.append(Field(name: field.name, shape: field.shape.joined(theirs, memory: memory)))
    }
    for field in otherFields where !fields.contains(where: { $0.name == field.name }) {
      merged.append(Field(name: field.name, shape: Shape.fixed(.nil).joined(field.shape, memory: memory)))
    }
    return .table(items: mergedItems, fields: merged)
  }
}

extension Shape {
  /// Whether tables meet in it.
  var hasTable: Bool {
    switch self {
    case .table: true
    case .choice(let shapes): shapes.contains(where: \.hasTable)
    default: false
    }
  }

  /// How deep tables stand in tables.
  var depth: Int {
    switch self {
    case .table(let items, let fields): 1 + ((items + fields.map(\.shape)).map(\.depth).max() ?? 0)
    case .choice(let shapes): shapes.map(\.depth).max() ?? 0
    default: 0
    }
  }

  /// The memory of the text in it that was made for it.
  var memories: [StringMemory] {
    switch self {
    case .string(let memory): [memory]
    case .choice(let shapes): shapes.flatMap(\.memories)
    case .table(let items, let fields): (items + fields.map(\.shape)).flatMap(\.memories)
    default: []
    }
  }

  /// The same with other memory for its text.
  func withMemory(_ make: NewMemory) -> Shape {
    switch self {
    case .string(let memory): .string(make(memory.capacity, memory.isCounted))
    case .choice(let shapes): .choice(shapes.map { $0.withMemory(make) })
    case .table(let items, let fields):
      .table(
        items: items.map { $0.withMemory(make) },
        fields: fields.map { Field(name: $0.name, shape: $0.shape.withMemory(make)) })
    default: self
    }
  }
}
