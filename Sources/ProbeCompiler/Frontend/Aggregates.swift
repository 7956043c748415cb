import BPFAssembly
import Support

// Aggregates: counters for each CPU, added up in user space.
extension Frontend {
  /// `count(k…)`, `sum(v, k…)` and so on feed an aggregate that is named after the call.
  mutating func feed(_ name: String, _ arguments: [Value]) throws(MoontraceError) -> [Value] {
    var rest = arguments
    var value: Value?
    if name != "count" {
      guard !rest.isEmpty else { throw refusal("\(name): expected a value to add") }
      value = rest.removeFirst()
    }
    let function = try function(name, &rest)
    var key: [Value] = []
    for part in rest { key += try keyParts(part) }
    let type = key.isEmpty ? DataType.tuple([]) : try keyType(key, for: name)
    let index = schema.aggregates.firstIndex { $0.name == name && $0.function == function && $0.takes(key: type) }
    if index == nil { schema.aggregates.append(ProbeSchema.AggregateType(name: name, function: function, key: type)) }
    try add(value, to: index ?? schema.aggregates.count - 1, key: key)
    return []
  }

  private func function(
    _ name: String, _ rest: inout [Value]
  ) throws(MoontraceError) -> ProbeSchema.AggregateType.Function {
    switch name {
    case "count": return .count
    case "sum": return .sum
    case "avg": return .average
    case "min": return .minimum
    case "max": return .maximum
    case "stats": return .statistics
    case "hist": return .histogram
    default:
      guard rest.count >= 3, case .integer(let low) = plain(rest[0]), case .integer(let high) = plain(rest[1]),
        case .integer(let step) = plain(rest[2])
      else { throw refusal("lhist: low, high and step are constants: lhist(value, 0, 100, 10)") }
      let problem = ProbeSchema.AggregateType.Function.problem(low: low, high: high, step: step)
      if let problem { throw refusal(problem) }
      rest.removeFirst(3)
      return .linear(low: low, high: high, step: step)
    }
  }

  /// `agg:add(v)`, `agg[key]:add(v)`
  mutating func add(_ value: Value?, to aggregate: Int, key: [Value]) throws(MoontraceError) {
    let about = schema.aggregates[aggregate]
    try checkAddend(value, about.function)
    let type = key.isEmpty ? DataType.tuple([]) : try keyType(key, for: about.name)
    if let known = about.key, (known == .tuple([])) != key.isEmpty {
      throw refusal("'\(about.name)' has a key in one place, and none in another", "make two aggregates")
    }
    schema.aggregates[aggregate].key = try join(
      about.key, type, of: "the keys of '\(about.name)'", isSettled: about.isSettled)
    var number = IROperand.constant(1)
    if let value { number = try self.number(value) { "attempt to add a \($0) value to '\(about.name)'" } }
    guard isReachable else { return }
    var extra: IROperand?
    switch about.function {
    case .histogram: extra = logarithmicBucket(number)
    case .linear(let low, let high, let step): extra = linearBucket(number, low, high, step)
    default: break
    }
    let element = try element(of: aggregate, key, extra)
    accumulate(aggregate, number, element)
  }

  /// Refuses a value that would be passed over, and one that is missing.
  private func checkAddend(
    _ value: Value?, _ function: ProbeSchema.AggregateType.Function
  ) throws(MoontraceError) {
    guard function == .count else {
      if value == nil { throw refusal("add: expected a value to add") }
      return
    }
    guard value.map(plain) ?? .integer(1) == .integer(1) else {
      throw refusal("count() adds 1, whatever it is given", "add() without a value, or sum() for numbers")
    }
  }

  /// The address of an element, which is made when it is not there.
  private mutating func element(
    of aggregate: Int, _ key: [Value], _ extra: IROperand?
  ) throws(MoontraceError) -> IROperand {
    let map = IROperand.map(builder.reference(.aggregate(aggregate)))
    guard !key.isEmpty else { return try arrayElement(map, extra ?? .constant(0)) }
    let address = try writeKey(key, as: schema.aggregates[aggregate].key ?? .tuple([]), extra: extra)
    let name = schema.aggregates[aggregate].name
    let found = builder.call(.mapLookupElem, map, address)
    let (missing, there) = (builder.newBlock(isCold: true), builder.newBlock())
    let element = builder.newParameter(of: there)
    let here = builder.newBlock()
    builder.branch(.ne, found, .constant(0), here, missing)
    builder.move(to: here)
    builder.jump(to: there, [found])
    builder.move(to: missing)
    let zeros = IROperand.mapValue(builder.reference(.zeros), 0)
    _ = builder.call(.mapUpdateElem, map, address, zeros, .constant(1))  // BPF_NOEXIST: another CPU may be faster
    let made = builder.call(.mapLookupElem, map, address)
    try unless(.ne, made, .constant(0)) { frontend throws(MoontraceError) in frontend.fail("'\(name)' is full") }
    builder.jump(to: there, [made])
    builder.move(to: there)
    return .value(element)
  }

  private mutating func arrayElement(_ map: IROperand, _ index: IROperand) throws(MoontraceError) -> IROperand {
    let slot = IROperand.slot(builder.newSlot(8), 0)
    builder.store(slot, 0, index, .word)
    let found = builder.call(.mapLookupElem, map, slot)
    try unless(.ne, found, .constant(0)) { frontend throws(MoontraceError) in frontend.finishRun() }
    return found
  }

  private mutating func accumulate(_ aggregate: Int, _ number: IROperand, _ element: IROperand) {
    func add(_ offset: Int32, _ amount: IROperand) {
      builder.perform(.atomic(.add, element, offset, amount, expected: nil))
    }
    switch schema.aggregates[aggregate].function {
    case .count, .histogram, .linear: add(0, .constant(1))
    case .sum: add(0, number)
    case .average:
      add(0, .constant(1))
      add(8, number)
    case .minimum: keepExtremes([(.slt, 8)], of: aggregate, number, element, epoch: 0)
    case .maximum: keepExtremes([(.sgt, 8)], of: aggregate, number, element, epoch: 0)
    case .statistics:
      keepExtremes([(.slt, 16), (.sgt, 24)], of: aggregate, number, element, epoch: 32)
      add(0, .constant(1))
      add(8, number)
    }
  }

  /// Keeps the better of the number and what is there; what is there counts only if it is of this epoch, so that user
  /// space can start over without writing to the element.
  private mutating func keepExtremes(
    _ extremes: [(better: Condition, offset: Int32)], of aggregate: Int, _ number: IROperand, _ element: IROperand,
    epoch: Int32
  ) {
    let current = builder.load(.mapValue(builder.reference(.epochs), Int32(8 * aggregate)), 0)
    let stamp = builder.load(element, epoch)
    for (condition, offset) in extremes {
      let old = builder.load(element, offset)
      let better = select(condition, number, old, number, old)
      builder.store(element, offset, select(.eq, stamp, current, better, number))
    }
    builder.store(element, epoch, current)
  }

  // MARK: Buckets

  /// 0 below 0, 1 for 0, then 2 + the place of the highest bit.
  private mutating func logarithmicBucket(_ number: IROperand) -> IROperand {
    var rest = number
    var place: IROperand = .constant(0)
    for step: Int64 in [32, 16, 8, 4, 2, 1] {
      let isAbove = builder.compare(.ge, rest, .constant(1 << step))
      let shift = builder.binary(.lsh, isAbove, .constant(Int64(step.trailingZeroBitCount)))
      rest = builder.binary(.rsh, rest, shift)
      place = builder.binary(.or, place, shift)
    }
    let positive = builder.binary(.add, place, .constant(2))
    let known = select(.eq, number, .constant(0), .constant(1), positive)
    return select(.slt, number, .constant(0), .constant(0), known)
  }

  /// 0 below `low`, the last from `high` on.
  private mutating func linearBucket(_ number: IROperand, _ low: Int64, _ high: Int64, _ step: Int64) -> IROperand {
    let distance = builder.binary(.sub, number, .constant(low))
    let inside = builder.binary(.add, builder.binary(.div, distance, .constant(step)), .constant(1))
    let count = ProbeSchema.AggregateType.Function.linearBuckets(high - low, step)
    let capped = select(.sge, number, .constant(high), .constant(count + 1), inside)
    return select(.slt, number, .constant(low), .constant(0), capped)
  }
}

extension ProbeSchema.AggregateType {
  /// Whether keys of this type can be counted beside those that it has.
  fileprivate func takes(key type: DataType) -> Bool {
    guard let joined = (key ?? type).joined(type) else { return false }
    return !isSettled || joined == key
  }
}
