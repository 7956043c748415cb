import BPFAssembly
import LuaBytecode
import Support

// Loops become functions that the kernel calls once an iteration.
extension Frontend {
  /// The most iterations of one loop; a run that needs more ends there with an error. The kernel's own limit is 2^23.
  static let mostIterations: Int64 = 1 << 17

  /// How deep loops may stand in one another: the kernel allows 8 calls in one another, and the probe is the first.
  static let deepestLoop = 7

  /// How deep tables may stand in tables that a loop makes.
  private static let deepestTable = 8

  /// A loop body says how it ended: 0 while it has not, the number of a way out, or this for the end of the run.
  static let runEnded: Int64 = -1

  /// What a loop changes, and where it is kept between iterations.
  struct Carried {
    enum Place: Hashable, Comparable {
      case register(Int)
      /// A table from before the loop whose fields it assigns.
      case object(ObjectID)
    }
    var place: Place
    var shape: Shape
    var slots: [SlotID] = []
  }

  /// What a loop that was tried needs, to be compiled for good.
  struct LoopNeeds {
    /// By what is carried; wider than before.
    var shapes: [Carried.Place: Shape] = [:]
    /// Tables from before the loop of which it keeps copies.
    var frozen: Set<ObjectID> = []
    /// Tables from before the loop that it assigns to, and does not carry yet.
    var assigned: Set<ObjectID> = []
  }

  /// A way out of a loop: its values, and the slots that they were left in.
  struct WayOut {
    enum Goal {
      case block(Int)
      case caller([Value], least: Int?)
    }
    var goal: Goal
    var state: State
    /// Registers that the loop changed and that are used behind it.
    var live: RegisterSet
    var slots: [IROperand: SlotID] = [:]
  }

  /// Compiles a loop whose header is the block at hand; where it leads.
  ///
  /// What its variables hold in all iterations shows when it has been compiled once: then again, until all fits.
  mutating func runLoop(_ loop: Int) throws(MoontraceError) -> [(target: Int, edge: Edge)] {
    guard loopOutcomes.count < Self.deepestLoop else {
      throw refusal("loops stand in one another more than \(Self.deepestLoop) deep", "the kernel runs no more")
    }
    try forceAll()
    try steadyAll()
    let key = frames.flatMap { [$0.function.number, $0.callPC] } + [frame.flow.loops[loop].header]
    var carried = firstCarried(loop, known: knownShapes[key] ?? [:])
    while true {
      let before = self
      let body = try runBody(loop, carried)
      guard let needs = body.needs else { return body.leaving }
      let known = knownShapes
      self = before
      knownShapes = known
      knownShapes[key] = needs.shapes.filter { if case .register = $0.key { true } else { false } }
      carried = widened(needs)
    }
  }

  private mutating func widened(_ needs: LoopNeeds) -> [Carried] {
    state.freeze(needs.frozen)
    var shapes = needs.shapes
    for id in needs.assigned { shapes[.object(id)] = shape(of: .object(id)) }
    return shapes.sorted { $0.key < $1.key }.map { Carried(place: $0.key, shape: withOwnMemory($0.value)) }
  }

  /// The registers that the loop changes, as they are before it; as wide as an earlier try has shown.
  private mutating func firstCarried(_ loop: Int, known: [Carried.Place: Shape]) -> [Carried] {
    let flow = frame.flow
    let registers = flow.blocks[flow.loops[loop].header].liveIn.intersection(flow.loops[loop].written)
    return registers.sorted().map { register in
      let place = Carried.Place.register(register)
      let own = shape(of: state.registers[register])
      return Carried(place: place, shape: withOwnMemory(known[place].map { join(own, $0) } ?? own))
    }
  }

  /// The shape with memory of this loop for text that changes.
  private mutating func withOwnMemory(_ shape: Shape) -> Shape {
    shape.withMemory { newText($0, isCounted: $1) }
  }

  /// - Returns: where the loop leads, or else what it needs.
  private mutating func runBody(
    _ loop: Int, _ start: [Carried]
  ) throws(MoontraceError) -> (leaving: [(target: Int, edge: Edge)], needs: LoopNeeds?) {
    let outer = self
    var carried = start
    for index in carried.indices { try keep(&carried[index]) }
    let outcome = builder.newSlot(8)
    builder.store(.slot(outcome, 0), 0, .constant(0))
    let before = state

    let (function, place) = builder.enterNewFunction()
    loopOutcomes.append(outcome)
    firstObjectOfLoop = objectCount + 1
    let captures = enterBody(loop, carried, from: place.0)
    let exits = try runRegion(loop, from: frame.flow.loops[loop].header, here)
    if let needs = try next(exits.continues, carried) { return ([], needs) }
    let written = frame.flow.loops[loop].written
    var ways = try exits.edges.enumerated().map { index, exit throws(MoontraceError) in
      let live = frame.flow.blocks[exit.target].liveIn.intersection(written)
      return try leave(.block(exit.target), exit.edge, live, Int64(index + 1), outcome)
    }
    ways += try leaveByReturn(outer.frame.returns?.count ?? 0, ways.count, outcome)

    builder.leave(to: place)
    loopOutcomes = outer.loopOutcomes
    firstObjectOfLoop = outer.firstObjectOfLoop
    if loopOutcomes.isEmpty { storeArguments() }
    for (operand, slot) in captures { builder.store(.slot(slot, 0), 0, operand) }
    repeatBody(function)
    state = before
    return (try arrive(ways, outcome), nil)
  }

  /// Calls the body. Loops in loops share what they may run in all.
  private mutating func repeatBody(_ body: FunctionID) {
    let most = IROperand.constant(Self.mostIterations)
    guard loopOutcomes.isEmpty else {
      let budget = loopBudget ?? builder.newSlot(8)
      loopBudget = budget
      let left = builder.load(.slot(budget, 0), 0)
      let done = builder.emit(.loop(body, count: select(.sgt, left, .constant(0), left, .constant(0))))
      // Loops inside of this one have taken their share meanwhile.
      let rest = builder.binary(.sub, builder.load(.slot(budget, 0), 0), done)
      return builder.store(.slot(budget, 0), 0, rest)
    }
    if let budget = loopBudget { builder.store(.slot(budget, 0), 0, most) }
    loopBudget = nil
    builder.perform(.loop(body, count: most))
  }

  private func value(at place: Carried.Place) -> Value {
    switch place {
    case .register(let register): state.registers[register]
    case .object(let id): .object(id)
    }
  }

  private mutating func setValue(at place: Carried.Place, _ value: Value) {
    switch place {
    case .register(let register): state.registers[register] = value
    case .object(let id):
      guard case .object(let copy) = value, copy != id, case .table(var table) = state.heap[copy] else { return }
      if case .table(let before) = state.heap[id] { table.isFrozen = before.isFrozen }
      state.heap[id] = .table(table)
      state.heap[copy] = nil
    }
  }

  /// Stores what is carried before the first iteration.
  private mutating func keep(_ carried: inout Carried) throws(MoontraceError) {
    if carried.shape.hasTable { state.freeze(copied(from: carried.place)) }
    for operand in try operands(of: value(at: carried.place), as: carried.shape) {
      let slot = builder.newSlot(8)
      builder.store(.slot(slot, 0), 0, operand)
      carried.slots.append(slot)
    }
  }

  /// Loads what the body may use: what it changes, and everything else that lives on around it.
  ///
  /// - Returns: what the code around it has to store for that.
  private mutating func enterBody(
    _ loop: Int, _ carried: [Carried], from outer: Int
  ) -> [(IROperand, SlotID)] {
    var captures: [(operand: IROperand, slot: SlotID, loaded: IROperand)] = []
    var builder = builder
    func capture(_ operand: IROperand) -> IROperand {
      guard case .value = operand else { return operand }
      if let known = captures.first(where: { $0.operand == operand }) { return known.loaded }
      let slot = builder.newSlot(8)
      let loaded = builder.load(.slot(slot, 0), 0)
      captures.append((operand, slot, loaded))
      return loaded
    }
    let live = frame.flow.blocks[frame.flow.loops[loop].header].liveIn
    let changed = Set(carried.map(\.place))
    let known = reachable(from: live, [here])
    for register in state.registers.indices {
      let isKept = live.contains(register) && !changed.contains(.register(register))
      state.registers[register] = isKept ? state.registers[register].mapOperands(capture) : .nil
    }
    state.heap = state.heap.filter { known.contains($0.key) }
    for (id, object) in state.heap.sorted(by: { $0.key < $1.key }) where !changed.contains(.object(id)) {
      state.heap[id] = object.mapOperands(capture)
    }
    self.builder = builder
    for case (operand: .value(let value), _, let loaded) in captures {
      enumerations[loaded, builder] = enumerations[Origin.Key(function: outer, value: value)]
    }
    for carried in carried {
      var slots = carried.slots[...]
      let value = value(of: carried.shape) { frontend in
        slots.popFirst().map { frontend.builder.load(.slot($0, 0), 0) } ?? .constant(0)
      }
      setValue(at: carried.place, value)
    }
    return captures.map { ($0.operand, $0.slot) }
  }

  /// Ends iterations that another follows.
  ///
  /// - Returns: what the loop needs, when what an iteration leaves does not fit.
  private mutating func next(_ edges: [Edge], _ carried: [Carried]) throws(MoontraceError) -> LoopNeeds? {
    var edges = edges
    for index in edges.indices {
      go(to: edges[index])
      try forceAll()
      edges[index] = here
    }
    if let needs = needs(of: edges, carried) {
      guard needs.shapes.values.allSatisfy({ $0.depth <= Self.deepestTable }) else {
        throw refusal("a table that grows with each iteration can't be made in a probe", "use a map")
      }
      return needs
    }
    for edge in edges {
      go(to: edge)
      try detachText(carried)
      var stores: [(SlotID, IROperand)] = []
      for carried in carried {
        stores += zip(carried.slots, try operands(of: value(at: carried.place), as: carried.shape))
      }
      for (slot, operand) in stores { builder.store(.slot(slot, 0), 0, operand) }
      builder.exit(.constant(0))
    }
    return nil
  }

  private mutating func needs(of edges: [Edge], _ carried: [Carried]) -> LoopNeeds? {
    var needs = LoopNeeds()
    for carried in carried { needs.shapes[carried.place] = carried.shape }
    let first = needs.shapes
    for edge in edges {
      state = edge.state
      for carried in carried {
        let value = value(at: carried.place)
        needs.shapes[carried.place] = needs.shapes[carried.place].map { join($0, shape(of: value)) }
        if carried.shape.hasTable { needs.frozen.formUnion(copied(from: carried.place).filter(isOpenOutside)) }
      }
    }
    needs.assigned = assignedObjects.filter { $0.number < firstObjectOfLoop && first[.object($0)] == nil }
    return needs.shapes == first && needs.frozen.isEmpty && needs.assigned.isEmpty ? nil : needs
  }

  /// The tables of which a copy is kept when what stands at a place is carried.
  private func copied(from place: Carried.Place) -> Set<ObjectID> {
    let all = state.objects(in: value(at: place))
    if case .object(let id) = place { return all.subtracting([id]) }
    return all
  }

  private func isOpenOutside(_ id: ObjectID) -> Bool {
    guard id.number < firstObjectOfLoop, case .table(let table) = state.heap[id] else { return false }
    return !table.isFrozen
  }

  /// Text that changes its variable is copied away first: the variable's memory may be about to change.
  private mutating func detachText(_ carried: [Carried]) throws(MoontraceError) {
    let memories = carried.flatMap(\.shape.memories)
    for carried in carried where !memories.isEmpty {
      let value = plain(value(at: carried.place))
      if carried.shape.memories.map(Value.string) == [value] { continue }
      setValue(at: carried.place, try detached(value, from: memories))
    }
  }

  private mutating func detached(_ value: Value, from memories: [StringMemory]) throws(MoontraceError) -> Value {
    switch plain(value) {
    case .string(let memory) where memories.contains { $0.base == memory.base }:
      let copy = newText(memory.capacity, isCounted: memory.isCounted)
      try fill(copy, with: .string(memory))
      return .string(copy)
    case .choice(var choice):
      for index in choice.alternatives.indices {
        choice.alternatives[index] = try detached(choice.alternatives[index], from: memories)
      }
      return .choice(choice)
    case .object(let id):
      guard case .table(var table) = state.heap[id] else { return value }
      for index in table.items.indices { table.items[index] = try detached(table.items[index], from: memories) }
      for index in table.fields.indices {
        table.fields[index].value = try detached(table.fields[index].value, from: memories)
      }
      return newObject(.table(table))
    case let other: return other
    }
  }

  /// Ends the loop on one of the ways out of it.
  private mutating func leave(
    _ goal: WayOut.Goal, _ edge: Edge, _ live: RegisterSet, _ number: Int64, _ outcome: SlotID
  ) throws(MoontraceError) -> WayOut {
    go(to: edge)
    try forceAll()
    var way = WayOut(goal: goal, state: state, live: live)
    var values = live.sorted().map { state.registers[$0] }
    var known = reachable(from: live, [here])
    if case .caller(let returned, _) = goal {
      values += returned
      for value in returned { known.formUnion(state.objects(in: value)) }
    }
    if case .block(let target) = goal { known.formUnion(reachable(from: frame.flow.blocks[target].liveIn, [here])) }
    way.state.heap = state.heap.filter { id, _ in
      known.contains(id) && (id.number >= firstObjectOfLoop || assignedObjects.contains(id))
    }
    func export(_ operand: IROperand) -> IROperand {
      if case .value = operand, way.slots[operand] == nil {
        let slot = builder.newSlot(8)
        builder.store(.slot(slot, 0), 0, operand)
        way.slots[operand] = slot
      }
      return operand
    }
    for value in values { _ = value.mapOperands(export) }
    for (_, object) in way.state.heap.sorted(by: { $0.key < $1.key }) { _ = object.mapOperands(export) }
    builder.store(.slot(outcome, 0), 0, .constant(number))
    builder.exit(.constant(1))
    return way
  }

  /// Returns of an inlined function from inside the loop are ways out, too.
  private mutating func leaveByReturn(
    _ known: Int, _ waysBefore: Int, _ outcome: SlotID
  ) throws(MoontraceError) -> [WayOut] {
    guard let returns = frame.returns, returns.count > known else { return [] }
    frames[frames.count - 1].returns = Array(returns[..<known])
    var ways: [WayOut] = []
    for (index, found) in returns[known...].enumerated() {
      let number = Int64(waysBefore + index + 1)
      ways.append(try leave(.caller(found.values, least: found.least), found.edge, [], number, outcome))
    }
    return ways
  }

  /// Behind the loop: goes the way that the body said.
  private mutating func arrive(
    _ ways: [WayOut], _ outcome: SlotID
  ) throws(MoontraceError) -> [(target: Int, edge: Edge)] {
    let outer = state
    let end = builder.load(.slot(outcome, 0), 0)
    var leaving: [(target: Int, edge: Edge)] = []
    for (index, way) in ways.enumerated() {
      let (yes, no) = (builder.newBlock(), builder.newBlock())
      builder.branch(.eq, end, .constant(Int64(index + 1)), yes, no)
      go(to: Edge(block: yes, state: outer))
      var loaded: [IROperand: IROperand] = [:]
      func load(_ operand: IROperand) -> IROperand {
        guard let slot = way.slots[operand] else { return operand }
        let value = loaded[operand] ?? builder.load(.slot(slot, 0), 0)
        loaded[operand] = value
        return value
      }
      for (id, object) in way.state.heap.sorted(by: { $0.key < $1.key }) { state.heap[id] = object.mapOperands(load) }
      for register in way.live { state.registers[register] = way.state.registers[register].mapOperands(load) }
      switch way.goal {
      case .block(let target): leaving.append((target, here))
      case .caller(let values, let least):
        noteReturn(values.map { $0.mapOperands(load) }, least: least, here)
      }
      builder.move(to: no)
    }
    state = outer
    try unless(.eq, end, .constant(Self.runEnded)) { frontend throws(MoontraceError) in
      let inAll =
        frontend.loopOutcomes.isEmpty
        ? "the loop runs more than \(Self.mostIterations) times"
        : "the loops run more than \(Self.mostIterations) times in all"
      frontend.fail(inAll)
    }
    finishRun()
    return leaving
  }
}
