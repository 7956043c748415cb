import BPFAssembly

/// Turns a function's IR into machine instructions: operands into registers and immediates, slots into addresses,
/// edges that carry arguments from branches into blocks of their own.
struct Lowering {
  let slots: [IRSlot]
  let source: IRFunction
  let isBody: Bool
  var result = MachineFunction()
  var block = MachineBlock()
  var place: UInt32 = 0
  /// Values that the entry makes once, by the register they come in.
  private var fromEntry: [Register: VirtualRegister] = [:]
  /// What stands for values that are the same as one of the entry's.
  private var aliases: [(value: ValueID, register: VirtualRegister)] = []
  private var isAliased: [Bool]
  /// The address in a map's value that the block has made last, until a call.
  var mapAddress: MapAddress?

  struct MapAddress {
    var map: MapReference
    var offset: Int32
    var register: VirtualRegister
  }

  static func lower(_ program: IRProgram, function number: Int) -> MachineFunction {
    var lowering = Lowering(program, number)
    lowering.run()
    return lowering.result
  }

  private init(_ program: IRProgram, _ number: Int) {
    slots = program.slots
    source = program.functions[number]
    isBody = number != 0
    isAliased = Array(repeating: false, count: Int(source.valueCount))
    result.registerCount = Int(source.valueCount)
  }

  private mutating func run() {
    result.frameSize = frameSize()
    let numbers = blockNumbers()
    for number in source.blocks.indices { lower(source.blocks[number], numbers) }
    result.entries = fromEntry.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value) }
  }

  /// The deepest byte of the stack that a slot of this function takes.
  private func frameSize() -> Int32 {
    var size: Int32 = 0
    func look(_ slot: SlotID) {
      if case .stack(let offset) = slots[slot.index].place { size = max(size, -offset) }
    }
    source.forEachOperand { operand in operand.slot.map(look) }
    source.handover.map(look)
    return size
  }

  /// Where each block goes: behind a branch stand the blocks for its edges.
  private func blockNumbers() -> [Int] {
    var numbers: [Int] = []
    var next = 0
    for block in source.blocks {
      numbers.append(next)
      next += 1
      guard case .branch(_, _, _, let first, let second) = block.terminator else { continue }
      next += (first.arguments.isEmpty ? 0 : 1) + (second.arguments.isEmpty ? 0 : 1)
    }
    return numbers
  }

  private mutating func lower(_ block: IRBlock, _ numbers: [Int]) {
    self.block = MachineBlock(isCold: block.isCold)
    mapAddress = nil
    self.block.parameters = block.parameters.map { VirtualRegister(number: $0.number) }
    for instruction in block.instructions {
      place = instruction.place
      lower(instruction)
    }
    place = block.place
    self.block.place = place
    let edges = lower(block.terminator, numbers)
    result.blocks.append(self.block)
    result.blocks += edges
  }

  /// Sets the block's terminator; the answer is the blocks for its edges.
  private mutating func lower(_ terminator: IRTerminator, _ numbers: [Int]) -> [MachineBlock] {
    switch terminator {
    case .jump(let target):
      block.terminator = .jump(numbers[target.block.index], target.arguments.map { argument($0) })
      return []
    case .exit(let operand):
      block.terminator = .exit(argument(operand))
      return []
    case .branch(let condition, let left, let right, let first, let second):
      var edges: [MachineBlock] = []
      let one = edge(to: first, numbers, &edges)
      let other = edge(to: second, numbers, &edges)
      let isSwapped = left.constant != nil
      let register = register(isSwapped ? right : left)
      let source = machineSource(isSwapped ? left : right)
      block.terminator = .branch(isSwapped ? condition.swapped : condition, register, source, one, other)
      return edges
    }
  }

  private mutating func edge(to target: IRTarget, _ numbers: [Int], _ edges: inout [MachineBlock]) -> Int {
    let number = numbers[target.block.index]
    if target.arguments.isEmpty { return number }
    let isCold = block.isCold || source.blocks[target.block.index].isCold
    edges.append(
      MachineBlock(
        terminator: .jump(number, target.arguments.map { argument($0) }), place: place, isCold: isCold, isEdge: true))
    return result.blocks.count + edges.count
  }

  // Values of the entry.

  /// The register that keeps what the kernel hands over in `register`.
  mutating func entryValue(_ register: Register) -> VirtualRegister {
    if let known = fromEntry[register] { return known }
    let made = result.newRegister()
    fromEntry[register] = made
    return made
  }

  mutating func alias(_ value: ValueID, _ register: VirtualRegister) {
    isAliased[value.index] = true
    aliases.append((value, register))
  }

  func virtualRegister(_ value: ValueID) -> VirtualRegister {
    guard isAliased[value.index], let alias = aliases.first(where: { $0.value == value }) else {
      return VirtualRegister(number: value.number)
    }
    return alias.register
  }
}
