import BPFAssembly
import LuaBytecode
import Support

// Indexing and assigning to what is indexed.
extension Frontend {
  mutating func index(_ base: Value, _ key: Value, named name: String) throws(MoontraceError) -> Value {
    switch plain(base) {
    case .host(let value): return try index(value, key)
    case .arguments: return try argument(key)
    case .builtin(let library):
      guard case .text(let bytes) = key else { throw refusal("'\(library)' is indexed by name") }
      return libraryValue(library + "." + String(decoding: bytes, as: UTF8.self))
    case .object(let id):
      if case .table(let table) = state.heap[id] { return try element(of: table, key) }
      return try index(decided(base), key, named: name)
    case .pointer(let pointer): return try member(of: pointer, key)
    case .choice(let choice): return try index(choice, key, named: name)
    case .nil:
      fail("attempt to index a nil value\(name)")
      return .nil
    case .mixed(let one, let other): throw mixed(one, other)
    case let other: throw refusal("attempt to index \(other.phrase) value\(name)", other.use)
    }
  }

  private mutating func index(
    _ choice: Value.Choice, _ key: Value, named name: String
  ) throws(MoontraceError) -> Value {
    // A NULL on the way through kernel structures yields nil; reading at NULL does that by itself.
    if let pointer = choice.alternatives.first(where: { $0.kind == .pointer }), choice.alternatives.count == 2,
      choice.alternatives.contains(.nil)
    {
      return try index(pointer, key, named: name)
    }
    guard let table = choice.alternatives.first(where: { $0.kind == .object }) else {
      throw refusal("attempt to index a \(Value.choice(choice).typeName) value\(name)")
    }
    try unless(.eq, choice.tag, .constant(Kind.object.rawValue)) { frontend throws(MoontraceError) in
      frontend.fail("attempt to index a nil value\(name)")
    }
    return try index(table, key, named: name)
  }

  private mutating func index(_ host: HostValue, _ key: Value) throws(MoontraceError) -> Value {
    switch host {
    case .environment:
      guard case .text(let bytes) = key else { throw refusal("_ENV is indexed by name") }
      return try globalValue(String(decoding: bytes, as: UTF8.self))
    case .table(let table): return try look(in: table, for: key)
    case .map(let map): return try look(in: map, for: key)
    case .aggregate(let aggregate): return .aggregateElement(aggregate, try keyParts(key))
    case .globals(let globals): return try loadGlobal(globals, key)
    default:
      let value = Value(host: host)
      throw refusal("attempt to index \(value.phrase) value", value.use)
    }
  }

  private func element(of table: Table, _ key: Value) throws(MoontraceError) -> Value {
    switch plain(key) {
    case .text(let bytes): return table[String(decoding: bytes, as: UTF8.self)]
    case .integer(let index):
      return index >= 1 && index <= Int64(table.items.count) ? table.items[Int(index) - 1] : .nil
    default: throw refusal("a table made in a probe is read with constants only", "use a map")
    }
  }

  // MARK: Assigning

  mutating func assign(_ base: Value, _ key: Value, _ value: Value) throws(MoontraceError) {
    switch plain(base) {
    case .object(let id): try assign(id, key, value)
    case .host(.map(let map)): try store(in: map, for: key, value)
    case .host(.globals(let globals)): try storeGlobal(globals, key, value)
    case .host(.environment):
      guard case .text(let bytes) = key else { throw refusal("_ENV is indexed by name") }
      let name = String(decoding: bytes, as: UTF8.self)
      throw refusal(
        "a probe can't assign to the global variable '\(name)'",
        "use a local, or keep it in the kernel: local g = global{ \(name) = 0 }, then g.\(name) = …")
    case .host(.table): throw refusal("a probe can't change a table of the script", "use a map")
    case .pointer, .arguments: throw refusal("a probe can't change the kernel's memory")
    case .nil: fail("attempt to index a nil value")
    case .choice(let choice) where choice.alternatives.contains(where: isOfMap): throw changeOfMap
    case .host(.aggregate), .aggregateElement:
      throw refusal("a probe can't assign to an aggregate", plain(base).use)
    case let other: throw refusal("attempt to index \(other.phrase) value")
    }
  }

  private var changeOfMap: MoontraceError {
    refusal("a map's value can't be changed in part", "store a new record: m[k] = { … }")
  }

  private func isOfMap(_ value: Value) -> Bool {
    guard case .object(let id) = plain(value), case .table(let table) = state.heap[id] else { return false }
    return table.isOfMap
  }

  private mutating func assign(_ id: ObjectID, _ key: Value, _ value: Value) throws(MoontraceError) {
    guard case .table(var table) = state.heap[id], !table.isOfMap else { throw changeOfMap }
    guard !table.isFrozen else {
      throw refusal(
        "a table that may be one of several can't be changed in part", "make a new one: { … }")
    }
    guard !state.objects(in: value).contains(id) else { throw refusal("a table can't hold itself in a probe") }
    if id.number < firstObjectOfLoop { assignedObjects.insert(id) }
    switch plain(key) {
    case .text(let bytes): table[String(decoding: bytes, as: UTF8.self)] = value
    case .integer(let index) where index >= 1 && index <= Int64(table.items.count):
      table.items[Int(index) - 1] = value
    case .integer(let index) where index == Int64(table.items.count) + 1: table.items.append(value)
    default: throw refusal("a table made in a probe has constant keys: names, or 1, 2, 3 …", "use a map")
    }
    state.heap[id] = .table(table)
  }

  mutating func setList(_ i: LuaInstruction) throws(MoontraceError) {
    guard case .object(let id) = state.registers[i.a], case .table(var table) = state.heap[id] else {
      throw refusal("a list can't be made here")
    }
    let values =
      i.b == 0 ? openValues(from: i.a + 1) : registers(from: i.a + 1, i.b)
    // What the constructor's named items have put there already is replaced.
    let start = i.c + (i.k ? code[pc + 1].ax * 256 : 0)
    guard start <= table.items.count else { throw refusal("a list's items can't be left out here") }
    table.items.replaceSubrange(start..<min(table.items.count, start + values.count), with: values)
    state.heap[id] = .table(table)
  }

  mutating func takeMethod(_ i: LuaInstruction) throws(MoontraceError) {
    let owner = state.registers[i.b]
    guard case .text(let bytes) = operand(i.c, i.k) else { throw refusal("a method's name is constant") }
    state.registers[i.a + 1] = owner
    state.registers[i.a] = .method(of: plain(owner), String(decoding: bytes, as: UTF8.self))
  }

  // MARK: Length

  mutating func length(_ value: Value, named name: String) throws(MoontraceError) -> Value {
    let value = try decided(value)
    switch value {
    case .text(let bytes): return .integer(Int64(bytes.count))
    case .string(let memory): return .number(try textLength(memory))
    case .object(let id):
      if case .table(let table) = state.heap[id] { return .integer(try length(of: table)) }
    case .host(.table(let table)): return .integer(try length(of: table))
    case .choice(let choice):
      guard let text = choice.alternatives.first(where: { $0.kind == .string }) else { break }
      try unless(.eq, choice.tag, .constant(Kind.string.rawValue)) { frontend throws(MoontraceError) in
        frontend.fail("attempt to get length of a nil value\(name)")
      }
      return try length(text, named: name)
    case .nil:
      fail("attempt to get length of a nil value\(name)")
      return .nil
    default: break
    }
    throw refusal("attempt to get length of \(value.phrase) value\(name)", value.use)
  }

  /// The length of a list. With nil among its items Lua may give one of several, or the run decides.
  private func length(of table: Table) throws(MoontraceError) -> Int64 {
    let count = (table.items.lastIndex { plain($0) != .nil } ?? -1) + 1
    guard table.items[..<count].allSatisfy({ !mayBeNil($0) }) else {
      throw refusal("the length of a list that may hold nil can't be told", "count its items in a variable")
    }
    return Int64(count)
  }

  private func mayBeNil(_ value: Value) -> Bool {
    switch plain(value) {
    case .nil, .pointer, .mixed: true
    case .choice(let choice): choice.alternatives.contains(.nil)
    case .object(let id): if case .lookup = state.heap[id] { true } else { false }
    default: false
    }
  }

  // MARK: Looking through objects

  /// The value behind objects whose outcome is known.
  func plain(_ value: Value) -> Value {
    if case .object(let id) = value, case .resolved(let known) = state.heap[id] { return plain(known) }
    return value
  }

  /// The value, with a map's answer looked at: nil or what the map holds.
  mutating func decided(_ value: Value) throws(MoontraceError) -> Value {
    if case .object(let id) = plain(value), case .lookup = state.heap[id] {
      try force(id)
      return plain(value)
    }
    return plain(value)
  }

  /// Looks at all that maps answered so far: what follows may change them.
  mutating func forceAll() throws(MoontraceError) {
    for (id, object) in state.heap.sorted(by: { $0.key.number < $1.key.number }) {
      if case .lookup = object { try force(id) }
    }
  }

  /// What a map holds for a key that it has.
  mutating func held(by lookup: Lookup) -> Value {
    let value = read(lookup.type, lookup.pointer, 0, map: lookup.map)
    if case .number(let number) = value { origins[origin: builder, number] = Origin(source: .lookup(lookup)) }
    return value
  }

  /// Looks at what a map answered: from now on it is nil, or what the map held now.
  mutating func force(_ id: ObjectID) throws(MoontraceError) {
    guard case .lookup(let lookup) = state.heap[id] else { return }
    let wasReachable = isReachable
    let (found, missing) = (builder.newBlock(), builder.newBlock())
    builder.branch(.ne, lookup.pointer, .constant(0), found, missing)
    var edges: [Edge] = []
    go(to: Edge(block: found, state: state))
    state.heap[id] = .resolved(try steady(held(by: lookup)))
    edges.append(here)
    var other = state
    other.heap[id] = .resolved(.nil)
    edges.append(Edge(block: missing, state: other))
    try enter(edges, liveIn: RegisterSet(state.registers.indices))
    isReachable = wasReachable
  }
}
