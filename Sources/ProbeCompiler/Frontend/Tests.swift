import BPFAssembly
import LuaBytecode
import Support

// Comparisons, truth, and the branches on them.
extension Frontend {
  /// What decides a branch.
  private enum Decision {
    case always(Bool)
    case when(Condition, IROperand, IROperand)
  }

  /// Compiles a test and the jump behind it; the places that it leads to.
  mutating func runTest(_ i: LuaInstruction) throws(MoontraceError) -> [(target: Int, edge: Edge)] {
    let register = i.opcode == .testSet ? i.b : i.a
    let tested: Value? = i.opcode == .test || i.opcode == .testSet ? state.registers[register] : nil
    let decision = if let tested { try decide(tested) } else { try decide(i) }
    guard isReachable else { return [] }
    let taken = code[pc + 1].target(at: pc + 1) ?? pc + 2
    let targets = i.k ? (yes: taken, no: pc + 2) : (yes: pc + 2, no: taken)
    var leaving: [(target: Int, edge: Edge)] = []
    for (outcome, edge) in branch(decision) {
      go(to: edge)
      if let tested { refine(tested, to: outcome) } else { refine(i, to: outcome) }
      let target = outcome ? targets.yes : targets.no
      if i.opcode == .testSet, outcome == i.k { state.registers[i.a] = state.registers[i.b] }
      leaving.append((target, here))
    }
    return leaving
  }

  private mutating func branch(_ decision: Decision) -> [(outcome: Bool, edge: Edge)] {
    switch decision {
    case .always(let outcome): return [(outcome, here)]
    case .when(let condition, .constant(let a), .constant(let b)): return [(Arithmetic.holds(condition, a, b), here)]
    case .when(let condition, let left, let right):
      let (yes, no) = (builder.newBlock(), builder.newBlock())
      builder.branch(condition, left, right, yes, no)
      return [(true, Edge(block: yes, state: state)), (false, Edge(block: no, state: state))]
    }
  }

  // MARK: Truth

  private mutating func decide(_ value: Value) throws(MoontraceError) -> Decision {
    switch plain(value) {
    case .nil: return .always(false)
    case .boolean(let known): return .always(known)
    case .flag(let operand): return .when(.ne, operand, .constant(0))
    case .pointer(let pointer): return .when(.ne, pointer.address, .constant(0))
    case .object(let id):
      guard case .lookup(let lookup) = state.heap[id] else { return .always(true) }
      switch lookup.type {
      case .boolean, .optional, .address: return try decide(decided(value))
      default: return .when(.ne, lookup.pointer, .constant(0))
      }
    case .choice(let choice):
      let needsMore = choice.alternatives.contains { $0.kind == .boolean || $0.kind == .pointer }
      return needsMore
        ? .when(.ne, try truth(of: .choice(choice)), .constant(0)) : .when(.ne, choice.tag, .constant(0))
    case .mixed(let one, let other): throw mixed(one, other)
    default: return .always(true)
    }
  }

  /// 1 or 0.
  mutating func truth(of value: Value) throws(MoontraceError) -> IROperand {
    switch try decided(value) {
    case .nil: return .constant(0)
    case .boolean(let known): return .constant(known ? 1 : 0)
    case .flag(let operand): return operand
    case .pointer(let pointer): return builder.compare(.ne, pointer.address, .constant(0))
    case .choice(let choice):
      var result = IROperand.constant(0)
      for alternative in choice.alternatives where alternative != .nil {
        let kind = (alternative.kind ?? .nil).rawValue
        let isThis = builder.compare(.eq, choice.tag, .constant(kind))
        let holds = builder.binary(.and, isThis, try truth(of: alternative))
        result = result == .constant(0) ? holds : builder.binary(.or, result, holds)
      }
      return result
    case .mixed(let one, let other): throw mixed(one, other)
    default: return .constant(1)
    }
  }

  /// What is known about a value, and all that came from it, once its truth is.
  private mutating func refine(_ value: Value, to truth: Bool) {
    switch plain(value) {
    case .object(let id):
      guard case .lookup(let lookup) = state.heap[id] else { return }
      state.heap[id] = .resolved(truth ? held(by: lookup) : .nil)
    case .choice(let choice): replace(.choice(choice), by: refined(choice, truth))
    case .flag(let operand): replace(.flag(operand), by: .boolean(truth))
    case .pointer(let pointer): if !truth { replace(.pointer(pointer), by: .nil) }
    default: break
    }
  }

  /// What is known about a value that was compared with nil, true or false.
  private mutating func refine(_ i: LuaInstruction, to outcome: Bool) {
    guard i.opcode == .eqK else { return }
    let (value, constant) = (plain(state.registers[i.a]), constant(i.b))
    switch (value, constant) {
    case (.choice(let choice), .nil), (.choice(let choice), .boolean):
      var left: [Value] = []
      for alternative in choice.alternatives {
        left += refined(alternative, by: constant, outcome)
      }
      // Nothing is left on ways that are never gone.
      guard let first = left.first else { return }
      replace(value, by: left.count == 1 ? first : .choice(Value.Choice(tag: choice.tag, alternatives: left)))
    case (.flag, .boolean(let known)): replace(value, by: .boolean(known == outcome))
    default: break
    }
  }

  /// What is left of one kind of value after a comparison with nil, true or false.
  private func refined(_ alternative: Value, by constant: Value, _ outcome: Bool) -> [Value] {
    switch (alternative, constant) {
    case (.flag, .boolean(let known)): [.boolean(known == outcome)]
    case _ where alternative.kind == constant.kind: (alternative == constant) == outcome ? [alternative] : []
    default: outcome ? [] : [alternative]
    }
  }

  private func refined(_ choice: Value.Choice, _ truth: Bool) -> Value {
    var left = choice.alternatives.filter { alternative in
      switch alternative {
      case .nil: !truth
      case .boolean(let known): known == truth
      case .flag: true
      default: truth
      }
    }
    // A NULL pointer is nil.
    let mayBeNull = !truth && choice.alternatives.contains { $0.kind == .pointer }
    if mayBeNull, !left.contains(.nil) { left.insert(.nil, at: 0) }
    guard left.count == 1 else {
      return left.isEmpty ? .nil : .choice(Value.Choice(tag: choice.tag, alternatives: left))
    }
    if case .flag = left[0] { return .boolean(truth) }
    return left[0]
  }

  private mutating func replace(_ old: Value, by new: Value) {
    for register in state.registers.indices where state.registers[register] == old { state.registers[register] = new }
    for (id, object) in state.heap where object == .resolved(old) { state.heap[id] = .resolved(new) }
  }

  func mixed(_ one: String, _ other: String) -> MoontraceError {
    refusal("this is a \(one) on one way to here and a \(other) on another", "give it one type")
  }

  // MARK: Comparisons

  private mutating func decide(_ i: LuaInstruction) throws(MoontraceError) -> Decision {
    switch i.opcode {
    case .eq: return try equality(state.registers[i.a], state.registers[i.b])
    case .eqK: return try equality(state.registers[i.a], constant(i.b))
    case .eqI: return try equality(state.registers[i.a], .integer(Int64(i.sB)))
    case .lt: return try order(.slt, state.registers[i.a], state.registers[i.b])
    case .le: return try order(.sle, state.registers[i.a], state.registers[i.b])
    case .ltI: return try order(.slt, state.registers[i.a], .integer(Int64(i.sB)))
    case .leI: return try order(.sle, state.registers[i.a], .integer(Int64(i.sB)))
    case .gtI: return try order(.sgt, state.registers[i.a], .integer(Int64(i.sB)))
    default: return try order(.sge, state.registers[i.a], .integer(Int64(i.sB)))
    }
  }

  private mutating func order(
    _ condition: Condition, _ left: Value, _ right: Value
  ) throws(MoontraceError) -> Decision {
    let (left, right) = (try decided(left), try decided(right))
    if [left, right].allSatisfy({ $0.alternatives.contains { $0.kind == .string } }) {
      throw refusal("a probe can't put text in order", "compare with == or ~=")
    }
    let (one, other) = (left.typeName, right.typeName)
    let a = try number(left) { _ in Self.comparisonMessage(one, other) }
    let b = try number(right) { _ in Self.comparisonMessage(one, other) }
    return .when(condition, a, b)
  }

  private static func comparisonMessage(_ one: String, _ other: String) -> String {
    let (one, other) = (one.isNilable ? "nil" : one, other.isNilable ? "nil" : other)
    return one == other ? "attempt to compare two \(one) values" : "attempt to compare \(one) with \(other)"
  }

  private mutating func equality(_ left: Value, _ right: Value) throws(MoontraceError) -> Decision {
    // `x == nil` asks for truth only where the value can't be false.
    switch try equal(left, right) {
    case .constant(let known): return .always(known != 0)
    case let operand: return .when(.ne, operand, .constant(0))
    }
  }

  /// 1 or 0: Lua's raw equality, which is false for values of different types.
  mutating func equal(_ left: Value, _ right: Value) throws(MoontraceError) -> IROperand {
    let (left, right) = (try decided(left), try decided(right))
    if case .mixed(let one, let other) = left { throw mixed(one, other) }
    if case .mixed(let one, let other) = right { throw mixed(one, other) }
    if case .float = left { throw refusal("floats can't be used in a probe", "use integers") }
    if case .float = right { throw refusal("floats can't be used in a probe", "use integers") }
    if case .choice(let choice) = left { return try equal(choice, right) }
    if case .choice(let choice) = right { return try equal(choice, left) }
    switch (left, right) {
    case (.nil, .nil): return .constant(1)
    case (.pointer(let pointer), .nil), (.nil, .pointer(let pointer)):
      return builder.compare(.eq, pointer.address, .constant(0))
    case (.pointer(let one), .pointer(let other)): return builder.compare(.eq, one.address, other.address)
    case (.object(let one), .object(let other)): return .constant(try areSame(one, other) ? 1 : 0)
    case (.builtin(let one), .builtin(let other)): return .constant(one == other ? 1 : 0)
    case (.named, .named): throw refusal("a \(left.typeName) can't be compared with another in a probe")
    case (.host(let one), .host(let other)): return .constant(one == other ? 1 : 0)
    default: break
    }
    if let a = left.number ?? left.address, let b = right.number ?? right.address { return builder.compare(.eq, a, b) }
    if let a = left.flag, let b = right.flag { return builder.compare(.eq, a, b) }
    if left.kind == .string, right.kind == .string { return try equalText(left, right) }
    return .constant(0)
  }

  /// Tables are equal to themselves only; one that stands for several is unknown.
  private func areSame(_ one: ObjectID, _ other: ObjectID) throws(MoontraceError) -> Bool {
    if one == other { return true }
    for id in [one, other] {
      guard case .table(let table) = state.heap[id], !table.isFrozen else {
        throw refusal("these tables can't be compared: they may be one", "compare their fields")
      }
    }
    return false
  }

  private mutating func equal(_ choice: Value.Choice, _ other: Value) throws(MoontraceError) -> IROperand {
    if case .choice(let second) = other, second == choice { return .constant(1) }
    var result = IROperand.constant(0)
    for alternative in choice.alternatives {
      var isThis = builder.compare(.eq, choice.tag, .constant((alternative.kind ?? .nil).rawValue))
      if alternative.kind == .string, other.alternatives.contains(where: { $0.kind == .string }) {
        isThis = try equalIf(isThis, alternative, other)
      } else {
        isThis = builder.binary(.and, isThis, try equal(alternative, other))
      }
      result = result == .constant(0) ? isThis : builder.binary(.or, result, isThis)
    }
    return result
  }

  /// Compares text only where there is some.
  private mutating func equalIf(
    _ condition: IROperand, _ left: Value, _ right: Value
  ) throws(MoontraceError) -> IROperand {
    let slot = builder.newSlot(8)
    builder.store(.slot(slot, 0), 0, .constant(0))
    try onlyIf(.ne, condition, .constant(0)) { frontend throws(MoontraceError) in
      let result = try frontend.equal(left, right)
      frontend.builder.store(.slot(slot, 0), 0, result)
    }
    return builder.load(.slot(slot, 0), 0)
  }
}

extension String {
  fileprivate var isNilable: Bool { hasPrefix("nil or ") }
}
