import BPFAssembly
import Support

/// Where a number comes from: what makes `m[k] = (m[k] or 0) + n` and `g.x = g.x + n` one atomic step.
struct Origin: Equatable {
  enum Source: Equatable {
    case global(Int, Int32)
    case lookup(Lookup)
  }

  var source: Source
  /// What it is where the map holds nothing; nil when that ends the run.
  var initial: Int64?
  /// What was added to what was read; nil for nothing yet.
  var addend: IROperand?

  /// A value of one function of the program.
  struct Key: Hashable {
    var function: Int
    var value: ValueID
  }
}

extension [Origin.Key: Origin] {
  subscript(origin builder: Builder, operand: IROperand) -> Origin? {
    get {
      guard case .value(let value) = operand else { return nil }
      return self[Origin.Key(function: builder.function, value: value)]
    }
    set {
      guard case .value(let value) = operand else { return }
      self[Origin.Key(function: builder.function, value: value)] = newValue
    }
  }
}

extension Frontend {
  /// Remembers that a sum is what was read, and more.
  mutating func noteSum(_ operation: LuaOperation, _ a: IROperand, _ b: IROperand, _ sum: IROperand) {
    switch operation {
    case .add:
      if let origin = origins[origin: builder, a], origin.addend == nil {
        note(origin, adding: b, as: sum)
      } else if let origin = origins[origin: builder, b], origin.addend == nil {
        note(origin, adding: a, as: sum)
      }
    case .subtract:
      if let origin = origins[origin: builder, a], origin.addend == nil {
        note(origin, adding: builder.negate(b), as: sum)
      }
    default: break
    }
  }

  private mutating func note(_ origin: Origin, adding addend: IROperand, as sum: IROperand) {
    var origin = origin
    origin.addend = addend
    origins[origin: builder, sum] = origin
  }

  /// `m[k] = m[k] + n` in one step that no other CPU can split; false when the value is none such.
  mutating func add(_ value: Value, to map: Int, _ key: [Value]) throws(MoontraceError) -> Bool {
    guard let number = value.number, let origin = origins[origin: builder, number], let addend = origin.addend,
      case .lookup(let lookup) = origin.source, lookup.map == map, isSame(lookup.key.parts, key),
      lookup.type == .integer
    else { return false }
    let add = IROperation.atomic(.add, lookup.pointer, 0, addend, expected: nil)
    try onlyIf(.ne, lookup.pointer, .constant(0)) { frontend throws(MoontraceError) in frontend.builder.perform(add) }
    guard let initial = origin.initial else { return true }
    try onlyIf(.eq, lookup.pointer, .constant(0)) { frontend throws(MoontraceError) in
      try frontend.create(in: map, key, initial, addend)
    }
    return true
  }

  private func isSame(_ one: [Value], _ other: [Value]) -> Bool {
    one.count == other.count
      && zip(one, other).allSatisfy { one, other in
        if let a = one.number ?? one.address, let b = other.number ?? other.address { return builder.isSame(a, b) }
        return one == other
      }
  }

  /// Makes the element; if another CPU was faster, adds to its.
  private mutating func create(
    in map: Int, _ key: [Value], _ initial: Int64, _ addend: IROperand
  ) throws(MoontraceError) {
    let reference = IROperand.map(builder.reference(.map(map)))
    let address = try writeKey(key, as: schema.maps[map].key ?? .integer, extra: nil)
    let first = builder.newSlot(8)
    builder.store(.slot(first, 0), 0, builder.binary(.add, .constant(initial), addend))
    let onlyNew = IROperand.constant(1)  // BPF_NOEXIST
    let status = builder.call(.mapUpdateElem, reference, address, .slot(first, 0), onlyNew)
    let full = "map '\(schema.maps[map].name)' is full (it holds \(schema.maps[map].maximum))"
    try onlyIf(.ne, status, .constant(0)) { frontend throws(MoontraceError) in
      let again = frontend.builder.call(.mapLookupElem, reference, address)
      try frontend.unless(.ne, again, .constant(0)) { frontend throws(MoontraceError) in frontend.fail(full) }
      frontend.builder.perform(.atomic(.add, again, 0, addend, expected: nil))
    }
  }
}
