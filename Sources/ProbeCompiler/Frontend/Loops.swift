import BPFAssembly
import LuaBytecode
import Support

// Loops become functions that the kernel calls once an iteration.
extension Frontend {
  /// The most iterations of one loop; a run that needs more ends there with an error. The kernel's own limit is 2^23.
  static let mostIterations: Int64 = 1 << 17

  /// A loop body says how it ended: 0 while it has not, the number of a way out, or this for the end of the run.
  static let runEnded: Int64 = -1

  /// A register that a loop changes, and where it is kept between iterations.
  struct Carried {
    var register: Int
    var shape: Shape
    var slots: [SlotID] = []
  }

  /// A way out of a loop: its values, and the slots that they were left in.
  struct WayOut {
    enum Goal {
      case block(Int)
      case caller([Value])
    }
    var goal: Goal
    var state: State
    /// Registers that the loop changed and that are used behind it.
    var live: Set<Int>
    var slots: [IROperand: SlotID] = [:]
  }

  /// Compiles a loop whose header is the block at hand; where it leads.
  mutating func runLoop(_ loop: Int) throws(MoontraceError) -> [(target: Int, edge: Edge)] {
    try forceAll()
    let flow = frame.flow
    let carriedRegisters = flow.blocks[flow.loops[loop].header].liveIn.intersection(flow.loops[loop].written)
    var carried = carriedRegisters.sorted().map { register in
      Carried(register: register, shape: shape(of: state.registers[register]))
    }
    while true {
      let before = self
      let body = try runBody(loop, carried)
      guard let wider = body.wider else { return body.leaving }
      self = before
      for index in carried.indices { carried[index].shape = wider[index] }
    }
  }

  /// - Returns: where the loop leads, or else the shapes that its registers need to hold what an iteration leaves.
  private mutating func runBody(
    _ loop: Int, _ start: [Carried]
  ) throws(MoontraceError) -> (leaving: [(target: Int, edge: Edge)], wider: [Shape]?) {
    let outer = self
    var carried = start
    for index in carried.indices { try keep(&carried[index]) }
    let outcome = builder.newSlot(8)
    builder.store(.slot(outcome, 0), 0, .constant(0))
    let before = state

    let (function, place) = builder.enterNewFunction()
    loopOutcomes.append(outcome)
    firstObjectOfLoop = objectCount + 1
    let captures = enterBody(loop, carried)
    let exits = try runRegion(loop, from: frame.flow.loops[loop].header, here)
    if let wider = try next(exits.continues, carried) { return ([], wider) }
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
    builder.perform(.loop(function, count: .constant(Self.mostIterations)))
    state = before
    return (try arrive(ways, outcome), nil)
  }

  /// Stores what a register holds before the first iteration.
  private mutating func keep(_ carried: inout Carried) throws(MoontraceError) {
    for operand in try operands(of: state.registers[carried.register], as: carried.shape) {
      let slot = builder.newSlot(8)
      builder.store(.slot(slot, 0), 0, operand)
      carried.slots.append(slot)
    }
  }

  /// Loads what the body may use: what it changes, and everything else that lives on around it.
  ///
  /// - Returns: what the code around it has to store for that.
  private mutating func enterBody(_ loop: Int, _ carried: [Carried]) -> [(IROperand, SlotID)] {
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
    for register in state.registers.indices {
      state.registers[register] = live.contains(register) ? state.registers[register].mapOperands(capture) : .nil
    }
    state.heap = state.heap.mapValues { $0.mapOperands(capture) }
    self.builder = builder
    for carried in carried {
      var slots = carried.slots[...]
      state.registers[carried.register] = value(of: carried.shape) { frontend in
        slots.popFirst().map { frontend.builder.load(.slot($0, 0), 0) } ?? .constant(0)
      }
    }
    return captures.map { ($0.operand, $0.slot) }
  }

  /// Ends iterations that another follows.
  ///
  /// - Returns: wider shapes, when what an iteration leaves does not fit.
  private mutating func next(_ edges: [Edge], _ carried: [Carried]) throws(MoontraceError) -> [Shape]? {
    var shapes = carried.map(\.shape)
    var edges = edges
    for index in edges.indices {
      go(to: edges[index])
      try forceAll()
      for (position, carried) in carried.enumerated() {
        shapes[position] = join(shapes[position], shape(of: state.registers[carried.register]))
      }
      edges[index] = here
    }
    guard shapes == carried.map(\.shape) else { return shapes }
    for edge in edges {
      go(to: edge)
      try detachText(carried)
      var stores: [(SlotID, IROperand)] = []
      for carried in carried {
        stores += zip(carried.slots, try operands(of: state.registers[carried.register], as: carried.shape))
      }
      for (slot, operand) in stores { builder.store(.slot(slot, 0), 0, operand) }
      builder.exit(.constant(0))
    }
    return nil
  }

  /// Text that changes its variable is copied away first: the variable's memory may be about to change.
  private mutating func detachText(_ carried: [Carried]) throws(MoontraceError) {
    for carried in carried {
      guard case .string(let memory) = carried.shape else { continue }
      let value = plain(state.registers[carried.register])
      guard case .string(let other) = value, other != memory else { continue }
      let copy = StringMemory(base: .slot(builder.newSlot(memory.capacity), 0), capacity: memory.capacity)
      try copyText(value, to: copy.base, 0, capacity: copy.capacity)
      state.registers[carried.register] = .string(copy)
    }
  }

  /// Ends the loop on one of the ways out of it.
  private mutating func leave(
    _ goal: WayOut.Goal, _ edge: Edge, _ live: Set<Int>, _ number: Int64, _ outcome: SlotID
  ) throws(MoontraceError) -> WayOut {
    go(to: edge)
    try forceAll()
    var way = WayOut(goal: goal, state: state, live: live)
    way.state.heap = state.heap.filter { $0.key.number >= firstObjectOfLoop }
    var values = live.sorted().map { state.registers[$0] }
    if case .caller(let returned) = goal { values += returned }
    func export(_ operand: IROperand) -> IROperand {
      if case .value = operand, way.slots[operand] == nil {
        let slot = builder.newSlot(8)
        builder.store(.slot(slot, 0), 0, operand)
        way.slots[operand] = slot
      }
      return operand
    }
    for value in values { _ = value.mapOperands(export) }
    for (_, object) in way.state.heap.sorted(by: { $0.key.number < $1.key.number }) { _ = object.mapOperands(export) }
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
      ways.append(try leave(.caller(found.values), found.edge, [], number, outcome))
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
      func load(_ operand: IROperand) -> IROperand {
        way.slots[operand].map { builder.load(.slot($0, 0), 0) } ?? operand
      }
      for (id, object) in way.state.heap { state.heap[id] = object.mapOperands(load) }
      for register in way.live { state.registers[register] = way.state.registers[register].mapOperands(load) }
      switch way.goal {
      case .block(let target): leaving.append((target, here))
      case .caller(let values):
        noteReturn(values.map { $0.mapOperands(load) }, here)
      }
      builder.move(to: no)
    }
    state = outer
    try unless(.eq, end, .constant(Self.runEnded)) { frontend throws(MoontraceError) in
      frontend.fail("the loop runs more than \(Self.mostIterations) times")
    }
    finishRun()
    return leaving
  }
}
