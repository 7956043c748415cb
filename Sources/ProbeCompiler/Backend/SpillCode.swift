import BPFAssembly

/// Moves values to the stack: each is stored where it is made and loaded where it is used.
///
/// A parameter is stored by the blocks that jump to it. Arguments of calls and blocks are loaded right into their
/// registers. Offsets that don't fit are cut off: a frame of that size is refused before it is written.
struct SpillCode {
  private var function: MachineFunction
  /// The distance from the frame pointer of each value that is spilled; 0 for the others.
  private var offsets: [Int32]
  private var output: [MachineInstruction] = []
  /// What was loaded for the instruction at hand.
  private var reloads: [(value: VirtualRegister, register: VirtualRegister)] = []
  private var place: UInt32 = 0

  static func insert(for values: [VirtualRegister], into function: inout MachineFunction, _ ranges: LiveRanges) {
    var pass = SpillCode(function, values, ranges)
    for block in function.blocks.indices { pass.rewrite(block) }
    function = pass.function
    for block in function.blocks.indices { function.blocks[block].parameters.removeAll { pass.offset($0) != nil } }
  }

  private init(_ function: MachineFunction, _ values: [VirtualRegister], _ ranges: LiveRanges) {
    self.function = function
    offsets = Array(repeating: 0, count: function.registerCount)
    let arrivals = Self.arrivals(function, ranges)
    // Values that never live at the same point share a place.
    var places: [BitSet] = []
    for value in values {
      let isFree = { (points: BitSet) in
        !ranges.meets(points, value.index) && !arrivals[value.index].contains(where: points.contains)
      }
      let place = places.firstIndex(where: isFree) ?? places.count
      if place == places.count { places.append(BitSet(count: ranges.pointCount)) }
      ranges.forEachSegment(value.index) { segment in
        places[place].set(Int(segment.start), Int(segment.end), to: true)
        return true
      }
      for point in arrivals[value.index] { places[place].insert(point) }
      offsets[value.index] = -self.function.frameSize - Int32(place + 1) * 8
    }
    self.function.frameSize += Int32(places.count) * 8
  }

  /// By parameter, the points where jumps hand over arguments: while some arguments are stored, others are still read.
  private static func arrivals(_ function: MachineFunction, _ ranges: LiveRanges) -> [[Int]] {
    var arrivals = Array(repeating: [Int](), count: function.registerCount)
    for (number, block) in function.blocks.enumerated() {
      guard case .jump(let target, _) = block.terminator else { continue }
      for parameter in function.blocks[target].parameters {
        arrivals[parameter.index].append(ranges.end(of: number, in: function) * 3)
      }
    }
    return arrivals
  }

  private func offset(_ value: VirtualRegister) -> Int32? {
    value.index < offsets.count && offsets[value.index] != 0 ? offsets[value.index] : nil
  }

  private mutating func emit(_ operation: MachineOperation, _ result: VirtualRegister? = nil) {
    output.append(MachineInstruction(result: result, operation: operation, place: place))
  }

  private mutating func rewrite(_ number: Int) {
    let block = function.blocks[number]
    output = []
    output.reserveCapacity(block.instructions.count + 8)
    place = block.place
    if number == 0 { storeEntries() }
    for instruction in block.instructions {
      place = instruction.place
      rewrite(instruction)
    }
    place = block.place
    reloads = []
    function.blocks[number].terminator = rewritten(block.terminator)
    function.blocks[number].instructions = output
  }

  private mutating func storeEntries() {
    for index in function.entries.indices {
      function.entries[index].result = storing(function.entries[index].result)
    }
  }

  /// The register that stands for the result; a spilled one is stored from it.
  private mutating func storing(_ result: VirtualRegister) -> VirtualRegister {
    guard let offset = offset(result) else { return result }
    let register = function.newRegister()
    emit(.store(.frame, Int16(truncatingIfNeeded: offset), .double, .register(register)))
    return register
  }

  private mutating func rewrite(_ instruction: MachineInstruction) {
    reloads = []
    // Loads stand before the instruction, the store behind it.
    let operation = reloading(instruction.operation)
    let position = output.count
    var result = instruction.result
    if let old = result { result = storing(old) }
    output.insert(MachineInstruction(result: result, operation: operation, place: place), at: position)
  }

  private mutating func reloading(_ operation: MachineOperation) -> MachineOperation {
    var direct = false
    switch operation {
    case .call, .set: direct = true
    default: break
    }
    operation.forEachRead { value, _ in if !direct { load(value) } }
    guard direct else { return operation.rewritten(reloaded, argument: { $0 }) }
    switch operation {
    case .call(let helper, let arguments): return .call(helper, arguments.mapped { loaded($0) })
    case .set(let value): return .set(loaded(value))
    default: return operation
    }
  }

  /// Loads a spilled value for the instruction at hand, once.
  private mutating func load(_ value: VirtualRegister) {
    guard let offset = offset(value), !reloads.contains(where: { $0.value == value }) else { return }
    let register = function.newRegister()
    emit(.load(.frame, Int16(truncatingIfNeeded: offset), .double, signed: false), register)
    reloads.append((value, register))
  }

  private func reloaded(_ value: VirtualRegister) -> VirtualRegister {
    reloads.first { $0.value == value }?.register ?? value
  }

  /// The argument, loaded from the stack when it is spilled.
  private mutating func loaded(_ argument: MachineArgument) -> MachineArgument {
    switch argument {
    case .register(let value):
      return offset(value).map { .spilled($0) } ?? argument
    case .offset(let value, let distance):
      load(value)
      return .offset(reloaded(value), distance)
    default: return argument
    }
  }

  private mutating func rewritten(_ terminator: MachineTerminator) -> MachineTerminator {
    switch terminator {
    case .exit(let argument): return .exit(loaded(argument))
    case .branch(let condition, let left, let right, let first, let second):
      load(left)
      if let right = right.register { load(right) }
      let source = right.register.map { MachineSource.register(reloaded($0)) } ?? right
      return .branch(condition, reloaded(left), source, first, second)
    case .jump(let target, let arguments):
      var kept: [MachineArgument] = []
      for (argument, parameter) in zip(arguments, function.blocks[target].parameters) {
        if let offset = offset(parameter) { store(argument, at: offset) } else { kept.append(argument) }
      }
      return .jump(target, kept.map { loaded($0) })
    }
  }

  /// Stores a spilled parameter's argument.
  private mutating func store(_ argument: MachineArgument, at offset: Int32) {
    if case .immediate(let value) = argument, let small = Int32(exactly: value) {
      return emit(.store(.frame, Int16(truncatingIfNeeded: offset), .double, .immediate(small)))
    }
    if case .register(let value) = argument, self.offset(value) == nil {
      return emit(.store(.frame, Int16(truncatingIfNeeded: offset), .double, .register(value)))
    }
    let register = function.newRegister()
    let value = loaded(argument)
    emit(.set(value), register)
    emit(.store(.frame, Int16(truncatingIfNeeded: offset), .double, .register(register)))
  }
}

extension LiveRanges {
  /// Whether a register lives at one of the points.
  func meets(_ points: BitSet, _ register: Int) -> Bool {
    var meets = false
    forEachSegment(register) { segment in
      meets = points.containsAny(Int(segment.start), Int(segment.end))
      return !meets
    }
    return meets
  }
}
