import BPFAssembly
import Support

// Maps and globals: what both halves of a script share.
extension Frontend {
  /// `m[key]`: whether the map holds the key is asked now, what it holds when it matters.
  mutating func look(in map: Int, for key: Value) throws(MoontraceError) -> Value {
    let parts = try keyParts(key)
    let address = try writeKey(parts, of: map)
    guard let type = schema.maps[map].value else {
      // Nothing is known to be in it: what is found out under this assumption may show what will be.
      isWaiting = true
      if isFinal { throw unknownType(of: map) }
      return .nil
    }
    let pointer = builder.call(.mapLookupElem, .map(builder.reference(.map(map))), address)
    return newObject(.lookup(Lookup(map: map, pointer: pointer, key: KeyImage(parts: parts), type: type)))
  }

  /// `m[key] = value`
  mutating func store(in map: Int, for key: Value, _ value: Value) throws(MoontraceError) {
    try forceAll()
    try steadyAll()
    let value = try decided(value)
    let parts = try keyParts(key)
    guard isReachable else { return }
    if try add(value, to: map, parts) { return }
    let address = try writeKey(parts, of: map)
    switch value {
    case .nil: remove(from: map, address)
    case .choice(let choice) where choice.alternatives.contains(.nil):
      let rest = choice.alternatives.filter { $0 != .nil }
      let kept = rest.count == 1 ? rest[0] : .choice(Value.Choice(tag: choice.tag, alternatives: rest))
      try onlyIf(.eq, choice.tag, .constant(0)) { frontend throws(MoontraceError) in
        frontend.remove(from: map, address)
      }
      try onlyIf(.ne, choice.tag, .constant(0)) { frontend throws(MoontraceError) in
        try frontend.update(map, address, kept)
      }
    default: try update(map, address, value)
    }
  }

  private mutating func remove(from map: Int, _ key: IROperand) {
    _ = builder.call(.mapDeleteElem, .map(builder.reference(.map(map))), key)
  }

  private mutating func update(_ map: Int, _ key: IROperand, _ value: Value) throws(MoontraceError) {
    let type = try dataType(of: value, for: "map '\(schema.maps[map].name)'")
    schema.maps[map].value = try join(
      schema.maps[map].value, type, of: "the values of map '\(schema.maps[map].name)'",
      isSettled: schema.maps[map].isSettled)
    guard let stored = schema.maps[map].value else { return }
    let slot = builder.newSlot(stored.size)
    try write(value, as: stored, to: .slot(slot, 0), 0)
    let status = builder.call(
      .mapUpdateElem, .map(builder.reference(.map(map))), key, .slot(slot, 0), .constant(0))
    let full = "map '\(schema.maps[map].name)' is full (it holds \(schema.maps[map].maximum))"
    try unless(.eq, status, .constant(0)) { frontend throws(MoontraceError) in frontend.fail(full) }
  }

  private func unknownType(of map: Int) -> MoontraceError {
    refusal(
      "nothing stores into map '\(schema.maps[map].name)', so there is no telling what it holds",
      "store into it in a probe, or say what it holds: map{ value = 0 }")
  }

  // MARK: Keys

  /// The values that a key is made of.
  mutating func keyParts(_ key: Value) throws(MoontraceError) -> [Value] {
    let key = try decided(key)
    guard case .object(let id) = key else { return [try keyPart(key)] }
    guard case .table(let table) = state.heap[id], table.fields.isEmpty else {
      throw refusal("a key with names can't be used", "use a list: m[{ pid, comm }]")
    }
    guard !table.items.isEmpty else { throw refusal("a key can't be an empty list") }
    var parts: [Value] = []
    for item in table.items { parts.append(try keyPart(decided(item))) }
    return parts
  }

  private mutating func keyPart(_ value: Value) throws(MoontraceError) -> Value {
    switch value {
    case .nil: throw refusal("a key can't be nil, and this part of it always is", "leave it out")
    case .choice(let choice):
      let rest = choice.alternatives.filter { $0 != .nil }
      guard rest.count == 1 else { throw refusal("a key is of one type, this one is a \(value.typeName)") }
      try unless(.ne, choice.tag, .constant(0)) { frontend throws(MoontraceError) in frontend.fail("index is nil") }
      return rest[0]
    case .mixed(let one, let other): throw mixed(one, other)
    default: return value
    }
  }

  private mutating func writeKey(_ parts: [Value], of map: Int) throws(MoontraceError) -> IROperand {
    let type = try keyType(parts, for: "map '\(schema.maps[map].name)'")
    schema.maps[map].key = try join(
      schema.maps[map].key, type, of: "the keys of map '\(schema.maps[map].name)'",
      isSettled: schema.maps[map].isSettled)
    return try writeKey(parts, as: schema.maps[map].key ?? type, extra: nil)
  }

  func keyType(_ parts: [Value], for what: String) throws(MoontraceError) -> DataType {
    var types: [DataType] = []
    for part in parts { types.append(try dataType(of: part, for: what)) }
    return types.count == 1 ? types[0] : .tuple(types)
  }

  /// The key in memory, with a number behind it if there is an extra one.
  mutating func writeKey(_ parts: [Value], as type: DataType, extra: IROperand?) throws(MoontraceError) -> IROperand {
    let slot = builder.newSlot(type.size + (extra == nil ? 0 : 8))
    var types = [type]
    if case .tuple(let items) = type { types = items }
    var offset: Int32 = 0
    for (part, type) in zip(parts, types) {
      try write(part, as: type, to: .slot(slot, 0), offset, isKey: true)
      offset += type.size
    }
    if let extra { builder.store(.slot(slot, 0), offset, extra) }
    return .slot(slot, 0)
  }

  // MARK: Globals

  private func globalField(_ globals: Int, _ key: Value) throws(MoontraceError) -> (Int32, DataType) {
    guard case .text(let bytes) = plain(key) else { throw refusal("globals are named") }
    let name = String(decoding: bytes, as: UTF8.self)
    let fields = schema.globals[globals].fields
    guard let index = fields.firstIndex(where: { $0.name == name }) else {
      throw refusal("there is no global '\(name)'\(suggestionHint(for: name, in: fields.map(\.name)))")
    }
    return (Int32(index * 8), fields[index].type)
  }

  mutating func loadGlobal(_ globals: Int, _ key: Value) throws(MoontraceError) -> Value {
    let (offset, type) = try globalField(globals, key)
    let loaded = builder.load(.mapValue(builder.reference(.globals(globals)), offset), 0)
    if type == .boolean { return .flag(loaded) }
    origins[origin: builder, loaded] = Origin(source: .global(globals, offset))
    return .number(loaded)
  }

  mutating func storeGlobal(_ globals: Int, _ key: Value, _ value: Value) throws(MoontraceError) {
    let (offset, type) = try globalField(globals, key)
    let address = IROperand.mapValue(builder.reference(.globals(globals)), offset)
    let value = try decided(value)
    if let number = value.number, let origin = origins[origin: builder, number], let addend = origin.addend,
      origin.source == .global(globals, offset)
    {
      builder.perform(.atomic(.add, address, 0, addend, expected: nil))
      return
    }
    let operand = type == .boolean ? value.flag : value.number
    guard let operand else {
      throw refusal("a global keeps its type: \(type == .boolean ? "boolean" : "integer"), not \(value.typeName)")
    }
    builder.store(address, 0, operand)
  }
}
