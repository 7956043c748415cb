import Support

// Where ways through the function meet: values become parameters of the block there.
extension Frontend {
  /// Goes on where all the edges lead.
  mutating func enter(_ edges: [Edge], liveIn live: RegisterSet) throws(MoontraceError) {
    guard edges.count > 1 else { return go(to: edges[0]) }
    let meeting = try Meeting(&self, edges, live)
    state = meeting.state
    for (edge, arguments) in zip(meeting.edges, meeting.arguments) {
      builder.move(to: edge.block)
      builder.jump(to: meeting.block, arguments)
    }
    builder.move(to: meeting.block)
    isReachable = true
  }

  /// The shape that a value has on its own.
  func shape(of value: Value) -> Shape {
    switch value {
    case .number(.constant(let constant)): .fixed(.integer(constant))
    case .flag(.constant(let constant)): .fixed(.boolean(constant != 0))
    case .number: .number
    case .flag: .flag
    case .pointer(let pointer): .pointer(pointer.target)
    case .named(let naming, let words): .named(naming, words.count)
    case .choice(let choice): .choice(choice.alternatives.map(shape))
    case .mixed(let one, let other): .mixed(one, other)
    case .string(let memory):
      if case .value = memory.base { .string(memory) } else { .fixed(value) }
    case .object(let id): shape(of: id)
    default: .fixed(value)
    }
  }

  private func shape(of id: ObjectID) -> Shape {
    switch state.heap[id] {
    case .table(let table):
      .table(
        items: table.items.map(shape),
        fields: table.fields.map { Shape.Field(name: $0.name, shape: shape(of: $0.value)) })
    case .resolved(let value): shape(of: value)
    case .lookup, nil: .mixed("table", "nil")
    }
  }

  /// What two shapes have in common; text from different places gets a place of its own.
  mutating func join(_ one: Shape, _ other: Shape) -> Shape {
    one.joined(other) { newText($0, isCounted: $1) }
  }

  // MARK: From values to operands and back

  /// The operands of a value in a form that it has in common with others.
  mutating func operands(of value: Value, as shape: Shape) throws(MoontraceError) -> [IROperand] {
    let value = plain(value)
    switch shape {
    case .fixed, .mixed: return []
    case .number: return [value.number ?? .constant(0)]
    case .flag: return [value.flag ?? .constant(0)]
    case .pointer: return [value.address ?? .constant(0)]
    case .named(let naming, let count):
      let words = value.words(as: naming)
      return words.isEmpty ? Array(repeating: .constant(0), count: count) : words
    case .string(let memory): return try stringOperands(value, memory)
    case .table(let items, let fields): return try tableOperands(value, items, fields)
    case .choice(let shapes): return try choiceOperands(value, shapes)
    }
  }

  private mutating func stringOperands(_ value: Value, _ memory: StringMemory) throws(MoontraceError) -> [IROperand] {
    if value.kind == .string, value != .string(memory) { try fill(memory, with: value) }
    return []
  }

  private mutating func tableOperands(
    _ value: Value, _ items: [Shape], _ fields: [Shape.Field]
  ) throws(MoontraceError) -> [IROperand] {
    var table = Table()
    if case .object(let id) = value, case .table(let known) = state.heap[id] { table = known }
    var all: [IROperand] = []
    for (index, shape) in items.enumerated() {
      all += try operands(of: index < table.items.count ? table.items[index] : .nil, as: shape)
    }
    for field in fields { all += try operands(of: table[field.name], as: field.shape) }
    return all
  }

  private mutating func choiceOperands(_ value: Value, _ shapes: [Shape]) throws(MoontraceError) -> [IROperand] {
    var all = [value.tag]
    for shape in shapes {
      let alternative = value.alternatives.first { $0.kind == shape.kind } ?? .nil
      if shape.kind == .string, case .choice(let choice) = value, alternative.kind == .string {
        // Only when it is text is there something to copy.
        try onlyIf(.eq, choice.tag, .constant(Kind.string.rawValue)) { frontend throws(MoontraceError) in
          _ = try frontend.operands(of: alternative, as: shape)
        }
      } else {
        all += try operands(of: alternative, as: shape)
      }
    }
    return all
  }

  /// The value of a shape; `next` gives its operands one by one.
  mutating func value(of shape: Shape, from next: (inout Frontend) -> IROperand) -> Value {
    switch shape {
    case .fixed(let value): return value
    case .number: return .number(next(&self))
    case .flag: return .flag(next(&self))
    case .pointer(let target): return .pointer(Pointer(address: next(&self), target: target))
    case .named(let naming, let count): return .named(naming, (0..<count).map { _ in next(&self) })
    case .string(let memory): return .string(memory)
    case .table(let items, let fields):
      var table = Table(isFrozen: true)
      table.items = items.map { value(of: $0, from: next) }
      table.fields = fields.map { Table.Field(name: $0.name, value: value(of: $0.shape, from: next)) }
      return newObject(.table(table))
    case .choice(let shapes):
      let tag = next(&self)
      return .choice(Value.Choice(tag: tag, alternatives: shapes.map { value(of: $0, from: next) }))
    case .mixed(let one, let other): return .mixed(one, other)
    }
  }

  /// The objects that live registers, or those of callers, lead to at one of the edges.
  func reachable(from live: RegisterSet, _ edges: [Edge]) -> Set<ObjectID> {
    var all: Set<ObjectID> = []
    for edge in edges where !edge.state.heap.isEmpty {
      var found: Set<ObjectID> = []
      for register in live where register < edge.state.registers.count {
        edge.state.collectObjects(in: edge.state.registers[register], &found)
      }
      for caller in frames.indices {
        for value in frames[caller].callerRegisters { edge.state.collectObjects(in: value, &found) }
      }
      all.formUnion(found)
    }
    return all
  }

  mutating func newObject(_ object: Object) -> Value {
    objectCount += 1
    let id = ObjectID(number: objectCount)
    state.heap[id] = object
    return .object(id)
  }
}

extension Value {
  /// The tag of a choice that the value would be one of.
  var tag: IROperand {
    if case .choice(let choice) = self { choice.tag } else { .constant((kind ?? .nil).rawValue) }
  }

  var address: IROperand? {
    if case .pointer(let pointer) = self { pointer.address } else { nil }
  }
}

/// The work of one meeting.
private struct Meeting {
  var state: State
  private(set) var block = BlockID(number: 0)
  var edges: [Edge]
  var arguments: [[IROperand]]

  init(_ frontend: inout Frontend, _ edges: [Edge], _ live: RegisterSet) throws(MoontraceError) {
    self.edges = edges
    arguments = Array(repeating: [], count: edges.count)
    state = edges[0].state
    try settle(&frontend, live)
    block = frontend.builder.newBlock()
    state = State(registers: Array(repeating: .nil, count: edges[0].state.registers.count))
    let known = frontend.reachable(from: live, edges)
    state.fetched = edges[0].state.fetched.filter { known in
      edges.allSatisfy { $0.state.fetched[known.key] == known.value }
    }
    try mergeObjects(&frontend, known)
    for register in live where self.edges.allSatisfy({ register < $0.state.registers.count }) {
      let values = self.edges.map { $0.state.registers[register] }
      state.registers[register] = try merge(&frontend, values)
    }
  }

  /// Looks up what a map holds where the ways differ in what they know about it.
  private mutating func settle(_ frontend: inout Frontend, _ live: RegisterSet) throws(MoontraceError) {
    for index in edges.indices {
      var pending: Set<ObjectID> = []
      for (id, object) in edges[index].state.heap {
        if case .lookup = object, edges.contains(where: { $0.state.heap[id] != nil && $0.state.heap[id] != object }) {
          pending.insert(id)
        }
      }
      for register in live where register < edges[index].state.registers.count {
        let value = edges[index].state.registers[register]
        if case .object(let id) = value, edges.contains(where: { $0.state.registers[register] != value }) {
          pending.insert(id)
        }
      }
      guard !pending.isEmpty else { continue }
      frontend.go(to: edges[index])
      for id in pending.sorted(by: { $0.number < $1.number }) { try frontend.force(id) }
      edges[index] = frontend.here
    }
  }

  /// Objects that all ways know stay the objects they are; nothing can refer to others behind the meeting.
  private mutating func mergeObjects(_ frontend: inout Frontend, _ known: Set<ObjectID>) throws(MoontraceError) {
    for id in known.sorted(by: { $0.number < $1.number }) {
      let all = edges.compactMap { $0.state.heap[id] }
      guard all.count == edges.count else { continue }
      state.heap[id] = all.allSatisfy { $0 == all[0] } ? all[0] : try merge(&frontend, all)
    }
  }

  private mutating func merge(_ frontend: inout Frontend, _ objects: [Object]) throws(MoontraceError) -> Object? {
    var tables: [Table] = []
    var values: [Value] = []
    for object in objects {
      switch object {
      case .table(let table): tables.append(table)
      case .resolved(let value): values.append(value)
      case .lookup: return nil
      }
    }
    if values.count == objects.count { return .resolved(try merge(&frontend, values)) }
    guard tables.count == objects.count else { return nil }
    var merged = Table(isFrozen: tables.contains(where: \.isFrozen))
    for index in 0..<(tables.map(\.items.count).max() ?? 0) {
      merged.items.append(try merge(&frontend, tables.map { index < $0.items.count ? $0.items[index] : .nil }))
    }
    for table in tables {
      for field in table.fields where !merged.fields.contains(where: { $0.name == field.name }) {
        merged[field.name] = try merge(&frontend, tables.map { $0[field.name] })
      }
    }
    return .table(merged)
  }

  /// One value for what the ways bring; its operands become parameters.
  private mutating func merge(_ frontend: inout Frontend, _ values: [Value]) throws(MoontraceError) -> Value {
    if values.dropFirst().allSatisfy({ $0 == values[0] }) { return values[0] }
    var shape: Shape?
    for (value, edge) in zip(values, edges) {
      frontend.state = edge.state
      let own = frontend.shape(of: value)
      shape = shape.map { frontend.join($0, own) } ?? own
    }
    guard let shape else { return .nil }
    for index in edges.indices {
      if shape.hasTable { state.freeze(edges[index].state.objects(in: values[index])) }
      frontend.go(to: edges[index])
      arguments[index] += try frontend.operands(of: values[index], as: shape)
      edges[index] = frontend.here
    }
    frontend.state = state
    let block = block
    let merged = frontend.value(of: shape) { frontend in .value(frontend.builder.newParameter(of: block)) }
    state = frontend.state
    noteDefault(&frontend, values, merged)
    frontend.noteEnumeration(ofAll: values, in: edges.map(\.state), as: merged)
    noteMap(values, merged)
    return merged
  }

  /// A copy of what a map holds stays one where it meets nil.
  private mutating func noteMap(_ values: [Value], _ merged: Value) {
    let isOfMap = zip(values, edges).contains { value, edge in
      edge.state.objects(in: value).contains {
        if case .table(let table) = edge.state.heap[$0] { table.isOfMap } else { false }
      }
    }
    guard isOfMap else { return }
    for case .object(let id) in merged.alternatives {
      guard case .table(var table) = state.heap[id] else { continue }
      table.isOfMap = true
      state.heap[id] = .table(table)
    }
  }

  /// `m[k] or 0`: what a map holds, or a constant.
  private func noteDefault(_ frontend: inout Frontend, _ values: [Value], _ merged: Value) {
    guard values.count == 2, let result = merged.number else { return }
    var known: [Value] = []
    for (value, edge) in zip(values, edges) {
      frontend.state = edge.state
      known.append(frontend.plain(value))
    }
    frontend.state = state
    for (one, other) in [(known[0], known[1]), (known[1], known[0])] {
      guard case .integer(let initial) = other, let number = one.number,
        var origin = frontend.origins[origin: frontend.builder, number], origin.addend == nil
      else { continue }
      origin.initial = initial
      frontend.origins[origin: frontend.builder, result] = origin
    }
  }
}
