import BPFAssembly
import Support

// Values in memory: which types they have there, writing and reading them.
extension Frontend {
  /// What a target is to probes in other places, which don't know the types of this one's module.
  private func shared(_ target: PointerTarget) -> PointerTarget {
    guard case .kernel(let type) = target, let kernel = context.moduleTypes?.base, type >= kernel.endID else {
      return target
    }
    return .kernel(type: 0)
  }

  /// How a value is stored.
  func dataType(of value: Value, for what: String) throws(MoontraceError) -> DataType {
    switch plain(value) {
    case .integer: return .integer
    case .number(let operand): return enumerations[operand, builder].map { .enumeration($0) } ?? .integer
    case .boolean, .flag: return .boolean
    case .text(let bytes):
      let capacity = Int32(max(bytes.count, 1) + 7) / 8 * 8
      return bytes.contains(0) ? .bytes(capacity: capacity) : .string(capacity: capacity)
    case .string(let memory): return memory.type
    case .pointer(let pointer): return .address(of: shared(pointer.target))
    case .named(let naming, let words): return .named(naming, words: Int32(words.count))
    case .object(let id): return try dataType(of: id, for: what)
    case .choice(let choice):
      let rest = choice.alternatives.filter { $0 != .nil }
      guard rest.count == 1, rest.count < choice.alternatives.count else { break }
      return .optional(try dataType(of: rest[0], for: what))
    case .mixed(let one, let other): throw mixed(one, other)
    case .nil: return .optional(.integer)
    case .float: throw refusal("floats can't be used in a probe", "use integers")
    default: break
    }
    throw refusal("\(what) can't hold \(plain(value).phrase) value", plain(value).use)
  }

  private func dataType(of id: ObjectID, for what: String) throws(MoontraceError) -> DataType {
    switch state.heap[id] {
    case .table(let table):
      guard table.fields.isEmpty || table.items.isEmpty else {
        throw refusal("a table is a record, { name = value }, or a list, { value, value }; this one is both")
      }
      if table.fields.isEmpty, !table.items.isEmpty {
        var items: [DataType] = []
        for item in table.items { items.append(try dataType(of: item, for: what)) }
        return .tuple(items)
      }
      var fields: [DataType.Field] = []
      for field in table.fields where plain(field.value) != .nil {
        fields.append(
          DataType.Field(name: field.name, type: try dataType(of: field.value, for: "field '\(field.name)' of \(what)"))
        )
      }
      return .record(fields)
    case .lookup(let lookup): return .optional(lookup.type)
    case .resolved(let value): return try dataType(of: value, for: what)
    case nil: throw refusal("\(what) can't hold this value")
    }
  }

  /// The type that holds values of both.
  func join(_ one: DataType?, _ other: DataType, of what: String) throws(MoontraceError) -> DataType {
    guard let one else { return other }
    guard let joined = one.joined(other) else {
      throw refusal("\(what) are \(one.typeName) elsewhere, and \(other.typeName) here", "give them one type")
    }
    return joined
  }

  /// The same for what may be settled: the type of a map that is there holds values of both already, or it is refused.
  func join(
    _ one: DataType?, _ other: DataType, of what: String, isSettled: Bool
  ) throws(MoontraceError) -> DataType {
    let joined = try join(one, other, of: what)
    guard isSettled, let one, joined != one else { return joined }
    throw refusal(
      "\(what) are \(one.typeName) in the probes that run already, and these do not fit", "use another one for them")
  }

  // MARK: Writing

  /// Writes a value that fits the type.
  mutating func write(
    _ value: Value, as type: DataType, to base: IROperand, _ offset: Int32, isKey: Bool = false
  ) throws(MoontraceError) {
    let value = try decided(value)
    switch type {
    case .integer, .enumeration: builder.store(base, offset, value.number ?? value.address ?? .constant(0))
    case .boolean: builder.store(base, offset, value.flag ?? .constant(0))
    case .address: builder.store(base, offset, value.address ?? value.number ?? .constant(0))
    case .string(let capacity):
      if embed(value, type, base, offset, isKey: isKey) { return }
      try copyText(value, to: base, offset, capacity: capacity, isKey: isKey)
    case .bytes(let capacity):
      if embed(value, type, base, offset, isKey: isKey) { return }
      try copyBytes(value, to: base, offset, capacity: capacity)
    case .named(let naming, let count):
      let words = value.words(as: naming)
      for index in 0..<count {
        builder.store(base, offset + 8 * index, Int(index) < words.count ? words[Int(index)] : .constant(0))
      }
    case .optional(let inner): try writeOptional(value, as: inner, to: base, offset, isKey: isKey)
    case .record(let fields): try writeRecord(value, fields, to: base, offset, isKey: isKey)
    case .tuple(let items):
      var table = Table()
      if case .object(let id) = value, case .table(let known) = state.heap[id] { table = known }
      var place = offset
      for (index, item) in items.enumerated() {
        try write(index < table.items.count ? table.items[index] : .nil, as: item, to: base, place, isKey: isKey)
        place += item.size
      }
    }
  }

  private mutating func writeRecord(
    _ value: Value, _ fields: [DataType.Field], to base: IROperand, _ offset: Int32, isKey: Bool
  ) throws(MoontraceError) {
    var table = Table()
    if case .object(let id) = value, case .table(let known) = state.heap[id] { table = known }
    var place = offset
    for field in fields {
      try write(table[field.name], as: field.type, to: base, place, isKey: isKey)
      place += field.type.size
    }
  }

  private mutating func writeOptional(
    _ value: Value, as type: DataType, to base: IROperand, _ offset: Int32, isKey: Bool
  ) throws(MoontraceError) {
    switch value {
    case .nil:
      builder.store(base, offset, .constant(0))
      try zero(base, offset + 8, type.size)
    case .choice(let choice) where choice.alternatives.contains(.nil):
      let rest = choice.alternatives.first { $0 != .nil } ?? .nil
      builder.store(base, offset, presence(choice, rest))
      if rest.isInRegisters || canEmbed(rest, type, base, isKey: isKey) {
        try write(rest, as: type, to: base, offset + 8, isKey: isKey)
      } else {
        try zero(base, offset + 8, type.size)
        try onlyIf(.ne, choice.tag, .constant(0)) { frontend throws(MoontraceError) in
          try frontend.write(rest, as: type, to: base, offset + 8, isKey: isKey)
        }
      }
    default:
      builder.store(base, offset, .constant(1))
      try write(value, as: type, to: base, offset + 8, isKey: isKey)
    }
  }

  /// 1 where a choice between nil and one kind is that kind, else 0.
  private mutating func presence(_ choice: Value.Choice, _ rest: Value) -> IROperand {
    builder.binary(.rsh, choice.tag, .constant((rest.kind ?? .nil).shift))
  }

  /// Lets text lie where it is to be stored from the start, instead of being copied there.
  private mutating func embed(
    _ value: Value, _ type: DataType, _ base: IROperand, _ offset: Int32, isKey: Bool
  ) -> Bool {
    guard canEmbed(value, type, base, isKey: isKey), case .string(let memory) = value,
      case .slot(let inner, 0) = memory.base, case .slot(let outer, let start) = base
    else { return false }
    return builder.embed(inner, in: outer, at: start + offset)
  }

  private func canEmbed(_ value: Value, _ type: DataType, _ base: IROperand, isKey: Bool) -> Bool {
    guard case .string(let memory) = value, case .slot = base, case .slot(_, 0) = memory.base else { return false }
    return memory.isWhole && memory.offset == 0 && type == memory.type && (!isKey || memory.isPadded)
  }

  /// Fills memory with zeros.
  mutating func zero(_ base: IROperand, _ offset: Int32, _ size: Int32) throws(MoontraceError) {
    guard size > 64 else {
      for word in stride(from: 0, to: size, by: 8) { builder.store(base, offset + word, .constant(0)) }
      return
    }
    let zeros = IROperand.mapValue(builder.reference(.zeros), 0)
    _ = builder.call(.probeReadKernel, address(base, offset), .constant(Int64(size)), zeros)
  }

  /// The address of a byte behind a base.
  mutating func address(_ base: IROperand, _ offset: Int32) -> IROperand {
    switch base {
    case _ where offset == 0: base
    case .slot(let slot, let start): .slot(slot, start + offset)
    case .mapValue(let map, let start): .mapValue(map, start + offset)
    default: builder.binary(.add, base, .constant(Int64(offset)))
    }
  }

  // MARK: Reading

  /// The value of a type that is stored at an address. Text stays where it is.
  mutating func read(_ type: DataType, _ base: IROperand, _ offset: Int32, map: Int?) -> Value {
    switch type {
    case .integer: return .number(builder.load(base, offset))
    case .enumeration(let enumeration): return enumerated(builder.load(base, offset), as: enumeration)
    case .boolean: return .flag(builder.load(base, offset))
    case .address(let target):
      return .pointer(Pointer(address: builder.load(base, offset), target: target))
    case .string(let capacity):
      return .string(StringMemory(base: base, offset: offset, capacity: capacity, map: map))
    case .bytes(let capacity):
      return .string(
        StringMemory(base: base, offset: offset, capacity: capacity, isCounted: true, isPadded: true, map: map))
    case .named(let naming, let words):
      return .named(naming, (0..<words).map { builder.load(base, offset + 8 * $0) })
    case .optional(let inner):
      let value = read(inner, base, offset + 8, map: map)
      let isThere = builder.load(base, offset)
      let tag = builder.binary(.lsh, isThere, .constant((value.kind ?? .nil).shift))
      return .choice(Value.Choice(tag: tag, alternatives: [.nil, value]))
    case .record(let fields):
      var table = Table(isFrozen: true, isOfMap: map != nil)
      var place = offset
      for field in fields {
        table.fields.append(Table.Field(name: field.name, value: read(field.type, base, place, map: map)))
        place += field.type.size
      }
      return newObject(.table(table))
    case .tuple(let items):
      var table = Table(isFrozen: true, isOfMap: map != nil)
      var place = offset
      for item in items {
        table.items.append(read(item, base, place, map: map))
        place += item.size
      }
      return newObject(.table(table))
    }
  }

  /// Copies text out of maps before one of them is changed: deleted memory is given to the next element.
  mutating func steadyAll() throws(MoontraceError) {
    for register in state.registers.indices { state.registers[register] = try steady(state.registers[register]) }
    for id in reachable(from: RegisterSet(state.registers.indices), [here]).sorted(by: { $0.number < $1.number }) {
      if case .resolved(let value) = state.heap[id] { state.heap[id] = .resolved(try steady(value)) }
    }
  }

  /// The value with its text copied out of a map, where others may change it.
  mutating func steady(_ value: Value) throws(MoontraceError) -> Value {
    switch value {
    case .string(let memory) where memory.map != nil:
      let copy = newText(memory.capacity, isCounted: memory.isCounted)
      try fill(copy, with: value)
      return .string(copy)
    case .object(let id):
      guard case .table(var table) = state.heap[id] else { return value }
      for index in table.items.indices { table.items[index] = try steady(table.items[index]) }
      for index in table.fields.indices { table.fields[index].value = try steady(table.fields[index].value) }
      state.heap[id] = .table(table)
      return value
    case .choice(var choice):
      for index in choice.alternatives.indices { choice.alternatives[index] = try steady(choice.alternatives[index]) }
      return .choice(choice)
    default: return value
    }
  }
}

extension Value {
  /// Whether it can be written without looking at memory.
  fileprivate var isInRegisters: Bool {
    switch self {
    case .integer, .number, .boolean, .flag, .pointer, .named: true
    default: false
    }
  }
}

extension DataType {
  var typeName: String {
    switch self {
    case .integer, .enumeration: "integers"
    case .boolean: "booleans"
    case .string, .bytes: "text"
    case .address: "pointers"
    case .record(let fields): "records of " + fields.map(\.name).joined(separator: ", ")
    case .tuple(let items): "lists of \(items.count)"
    case .optional(let type): type.typeName + " or nil"
    case .named(let naming, _): naming.typeName + "s"
    }
  }

  /// The type that holds values of both; nil when there is none.
  func joined(_ other: DataType) -> DataType? {
    switch (self, other) {
    case _ where self == other: return self
    case (.nothing, _): return other.optionally ?? other
    case (_, .nothing): return optionally ?? self
    case (.string(let one), .string(let two)): return .string(capacity: max(one, two))
    case (.string(let one), .bytes(let two)), (.bytes(let one), .string(let two)), (.bytes(let one), .bytes(let two)):
      return .bytes(capacity: max(one, two))
    case (.enumeration, .enumeration), (.enumeration, .integer), (.integer, .enumeration): return .integer
    case (.address(let one), .address(let other)): return one.joined(other).map { .address(of: $0) }
    case (.address, .integer), (.integer, .address): return .integer
    case (.named(let one, _), .named(let two, _)) where one.isAddress && two.isAddress:
      return .named(.address, words: 3)
    case (.named(.kernelStack(let depth, let one), let words), .named(.kernelStack(let other, let two), _))
    where depth == other:
      return .named(.kernelStack(depth: depth, frames: [one, two].compactMap { $0 }.max()), words: words)
    case (.optional(let one), .optional(let two)): return one.joined(two).map { .optional($0) }
    case (.optional(let one), _): return one.joined(other).map { .optional($0) }
    case (_, .optional(let two)): return joined(two).map { .optional($0) }
    case (.tuple(let one), .tuple(let two)) where one.count == two.count:
      let items = zip(one, two).map { $0.joined($1) }
      return items.contains(nil) ? nil : .tuple(items.compactMap { $0 })
    case (.record(let one), .record(let two)): return Self.joined(one, two)
    default: return nil
    }
  }

  private static func joined(_ one: [Field], _ two: [Field]) -> DataType? {
    var fields: [Field] = []
    for field in one {
      let other = two.first { $0.name == field.name }
      guard let type = other.map({ field.type.joined($0.type) }) ?? field.type.optionally else { return nil }
      fields.append(Field(name: field.name, type: type))
    }
    for field in two where !one.contains(where: { $0.name == field.name }) {
      fields.append(Field(name: field.name, type: field.type.optionally ?? field.type))
    }
    return .record(fields)
  }

  /// What is always nil.
  static var nothing: DataType { .optional(.tuple([])) }

  private var optionally: DataType? {
    if case .optional = self { self } else { .optional(self) }
  }
}
