/// What the registers of a Lua function hold at one place, and the objects that they refer to.
struct State: Equatable {
  var registers: [Value]
  var heap: [ObjectID: Object] = [:]
  /// Text that has been fetched on every way to here and stays the same during a run: `comm`.
  var fetched: [String: StringMemory] = [:]
}

extension State {
  /// The objects that a value leads to.
  func objects(in value: Value) -> Set<ObjectID> {
    var found: Set<ObjectID> = []
    collectObjects(in: value, &found)
    return found
  }

  /// Adds the objects that a value leads to; those that are there already lead to no others.
  func collectObjects(in value: Value, _ found: inout Set<ObjectID>) {
    var pending = value.objects
    while let id = pending.popLast() {
      if found.insert(id).inserted, let object = heap[id] { pending += object.objects }
    }
  }

  /// Keeps tables as they are from now on: copies of them exist.
  mutating func freeze(_ ids: Set<ObjectID>) {
    for id in ids {
      guard case .table(var table) = heap[id] else { continue }
      table.isFrozen = true
      heap[id] = .table(table)
    }
  }
}

/// A way to a block of the Lua function: where the IR behind it goes on, and with what.
struct Edge {
  var block: BlockID
  var state: State
}

struct ObjectID: Hashable, Comparable {
  var number: Int

  static func < (left: ObjectID, right: ObjectID) -> Bool { left.number < right.number }
}

enum Object: Equatable {
  case table(Table)
  /// What a map holds for a key, not looked at yet.
  case lookup(Lookup)
  /// A lookup whose outcome is known.
  case resolved(Value)
}

/// A table that the probe made. It exists in the compiler only; its fields are values like any other.
struct Table: Equatable {
  struct Field: Equatable {
    var name: String
    var value: Value
  }

  var items: [Value] = []
  var fields: [Field] = []
  /// Made by different constructors on different ways: what is assigned to one can't be known to reach the other.
  var isFrozen = false
  /// A copy of what a map holds.
  var isOfMap = false

  subscript(name: String) -> Value {
    get { fields.first { $0.name == name }?.value ?? .nil }
    set {
      if let index = fields.firstIndex(where: { $0.name == name }) {
        fields[index].value = newValue
      } else {
        fields.append(Field(name: name, value: newValue))
      }
    }
  }
}

/// A map's value for a key that may not be there.
struct Lookup: Equatable {
  var map: Int
  /// Address of the value, 0 when there is none.
  var pointer: IROperand
  /// The key, to recognise it again.
  var key: KeyImage
  var type: DataType
}

/// A key as the values that it is made of.
struct KeyImage: Equatable {
  var parts: [Value]
}

// Replacing operands, for going from one function of the program to another.
extension Value {
  func mapOperands(_ replace: (IROperand) -> IROperand) -> Value {
    switch self {
    case .number(let operand): return .number(replace(operand))
    case .flag(let operand): return .flag(replace(operand))
    case .pointer(let pointer):
      return .pointer(Pointer(address: replace(pointer.address), target: pointer.target))
    case .named(let naming, let words): return .named(naming, words.map(replace))
    case .string(var memory):
      memory.base = replace(memory.base)
      return .string(memory)
    case .choice(let choice):
      let alternatives = choice.alternatives.map { $0.mapOperands(replace) }
      return .choice(Choice(tag: replace(choice.tag), alternatives: alternatives))
    case .method(let owner, let name): return .method(of: owner.mapOperands(replace), name)
    case .aggregateElement(let aggregate, let key):
      return .aggregateElement(aggregate, key.map { $0.mapOperands(replace) })
    default: return self
    }
  }

  /// The objects that it refers to itself.
  var objects: [ObjectID] {
    switch self {
    case .object(let id): [id]
    case .choice(let choice): choice.alternatives.flatMap(\.objects)
    case .method(let owner, _): owner.objects
    case .aggregateElement(_, let key): key.flatMap(\.objects)
    default: []
    }
  }
}

extension Object {
  func mapOperands(_ replace: (IROperand) -> IROperand) -> Object {
    switch self {
    case .table(var table):
      table.items = table.items.map { $0.mapOperands(replace) }
      table.fields = table.fields.map { Table.Field(name: $0.name, value: $0.value.mapOperands(replace)) }
      return .table(table)
    case .resolved(let value): return .resolved(value.mapOperands(replace))
    case .lookup(var lookup):
      lookup.pointer = replace(lookup.pointer)
      lookup.key.parts = lookup.key.parts.map { $0.mapOperands(replace) }
      return .lookup(lookup)
    }
  }

  var objects: [ObjectID] {
    switch self {
    case .table(let table): (table.items + table.fields.map(\.value)).flatMap(\.objects)
    case .resolved(let value): value.objects
    case .lookup(let lookup): lookup.key.parts.flatMap(\.objects)
    }
  }
}
