import LuaBytecode
import Support

// Calls: of the script's functions, which are compiled where they are called, and of what probes have built in.
extension Frontend {
  /// How deep functions may call each other.
  private static let deepestCall = 32

  mutating func call(_ i: LuaInstruction) throws(MoontraceError) {
    try call(i, wanted: i.c == 0 ? nil : i.c - 1)
  }

  mutating func tailCall(_ i: LuaInstruction) throws(MoontraceError) {
    try call(i, wanted: nil)
  }

  private mutating func call(_ i: LuaInstruction, wanted: Int?) throws(MoontraceError) {
    let arguments = i.b == 0 ? openValues(from: i.a + 1) : registers(from: i.a + 1, i.b - 1)
    let isRagged = i.b == 0 && openLeast < openEnd
    let (results, least) = try call(state.registers[i.a], arguments, isRagged: isRagged, wanted, at: i.a)
    guard isReachable else { return }
    place(results, least, at: i.a, wanted)
  }

  private mutating func place(_ results: [Value], _ least: Int, at register: Int, _ wanted: Int?) {
    let count = wanted ?? results.count
    while state.registers.count < register + count { state.registers.append(.nil) }
    for index in 0..<count { state.registers[register + index] = index < results.count ? results[index] : .nil }
    if wanted == nil { (openEnd, openLeast) = (register + count, register + least) }
  }

  /// - Parameter isRagged: whether some of the arguments may be missing, for which nil stands.
  /// - Returns: the results, and how many of them are there on every way.
  private mutating func call(
    _ function: Value, _ arguments: [Value], isRagged: Bool, _ wanted: Int?, at register: Int
  ) throws(MoontraceError) -> (results: [Value], least: Int) {
    let results: [Value]
    switch plain(function) {
    case .builtin(let name):
      if isRagged { throw raggedArguments(name) }
      let isOfPlace = Self.placeFunctions.contains(name)
      results = isOfPlace ? try callPlaceFunction(name, arguments) : try callBuiltin(name, arguments)
    case .method(let owner, let name):
      if isRagged { throw raggedArguments(name) }
      results = try callMethod(name, of: owner, Array(arguments.dropFirst()))
    case .host(.function(let reference)): return try inline(reference, arguments, wanted, at: register)
    case .nil:
      fail("attempt to call a nil value\(variable(register))")
      results = []
    case .mixed("function", "function"):
      throw refusal(
        "which function is called here is known only when the probe runs\(variable(register))",
        "call each where it is chosen: if x then f() else g() end")
    case let other: throw refusal("attempt to call \(other.phrase) value\(variable(register))", other.use)
    }
    return (results, results.count)
  }

  private func raggedArguments(_ name: String) -> MoontraceError {
    refusal(
      "\(name): what is passed on here are more values on one way than on another",
      "take one: local x = f(), then pass x")
  }

  /// Compiles a function of the script as part of this one.
  private mutating func inline(
    _ function: HostReference, _ arguments: [Value], _ wanted: Int?, at register: Int
  ) throws(MoontraceError) -> (results: [Value], least: Int) {
    guard !frames.contains(where: { $0.function == function }), frames.count < Self.deepestCall else {
      throw refusal("a function that calls itself can't run in a probe", "use a loop")
    }
    try steadyAll()
    var called = try makeFrame(function)
    guard work.enter(function, calledName(register, called.prototype)) else { throw tooLarge() }
    called.returns = []
    (called.callerRegisters, called.callPC) = (state.registers, pc)
    let (caller, callerPC) = (state.registers, pc)
    let count = called.prototype.parameterCount
    state.registers = Array(repeating: .nil, count: max(called.prototype.maxStackSize, count))
    for index in 0..<min(count, arguments.count) { state.registers[index] = arguments[index] }
    frames.append(called)
    _ = try runRegion(nil, from: 0, here)
    let returns = frames.removeLast().returns ?? []
    pc = callerPC
    setPlace()
    return try meet(returns, caller, wanted)
  }

  /// Where a function's returns meet, behind its call. A value that is missing on one way is nil there.
  private mutating func meet(
    _ returns: [Return], _ caller: [Value], _ wanted: Int?
  ) throws(MoontraceError) -> (results: [Value], least: Int) {
    guard !returns.isEmpty else {
      isReachable = false
      state.registers = caller
      return ([], 0)
    }
    let count = wanted ?? returns.map(\.values.count).max() ?? 0
    let least = returns.map { $0.least ?? $0.values.count }.min() ?? 0
    let edges = returns.map { found in
      var edge = found.edge
      edge.state.registers = caller + (0..<count).map { $0 < found.values.count ? found.values[$0] : .nil }
      return edge
    }
    try enter(edges, liveIn: RegisterSet(0..<caller.count + count))
    let results = Array(state.registers[caller.count...])
    state.registers = Array(state.registers[..<caller.count])
    return (results, min(least, count))
  }

  private mutating func callMethod(
    _ name: String, of owner: Value, _ arguments: [Value]
  ) throws(MoontraceError) -> [Value] {
    switch (owner, name) {
    case (.host(.stream(let stream)), "emit"):
      guard let record = arguments.first else { throw refusal("emit: expected a record") }
      try send(record, to: stream)
      return []
    case (.host(.aggregate(let aggregate)), "add"):
      try add(arguments.first, to: aggregate, key: [])
      return []
    case (.aggregateElement(let aggregate, let key), "add"):
      try add(arguments.first, to: aggregate, key: key)
      return []
    case (.host(.map), _):
      throw refusal("'\(name)' works on a map in user space only", "in a probe: m[k], m[k] = v, m[k] = nil")
    default:
      if owner.kind == .string || owner.alternatives.contains(where: { $0.kind == .string }) {
        return try callBuiltin("string.\(name)", [owner] + arguments)
      }
      throw refusal("\(owner.phrase) has no method '\(name)' in a probe", owner.use)
    }
  }
}
