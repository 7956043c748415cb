import BPFAssembly

/// Operands as registers, immediates, addresses and arguments.
extension Lowering {
  mutating func emit(_ operation: MachineOperation, _ result: VirtualRegister? = nil) {
    block.instructions.append(MachineInstruction(result: result, operation: operation, place: place))
  }

  /// What goes into a register that is given; needs none before.
  func argument(_ operand: IROperand) -> MachineArgument {
    switch operand {
    case .value(let value): .register(virtualRegister(value))
    case .constant(let constant): .immediate(constant)
    case .map(let map): .map(map)
    case .mapValue(let map, let offset): .mapValue(map, offset)
    case .slot(let slot, let offset):
      switch (slots[slot.index].place, source.scratchBase) {
      case (.stack(let start), _): .frame(start + offset)
      case (.scratch(let start), let base?): .offset(virtualRegister(base), start + offset)
      case (.scratch, nil), (.open, _): .immediate(0)
      }
    }
  }

  /// A register that holds the operand.
  mutating func register(_ operand: IROperand) -> VirtualRegister {
    if case .value(let value) = operand { return virtualRegister(value) }
    let register = result.newRegister()
    emit(.set(argument(operand)), register)
    return register
  }

  /// An immediate if the operand fits one, else a register.
  mutating func machineSource(_ operand: IROperand) -> MachineSource {
    if let constant = operand.constant, let small = Int32(exactly: constant) { return .immediate(small) }
    return .register(register(operand))
  }

  /// What a store writes: of a constant, only the low bits count.
  mutating func stored(_ operand: IROperand, _ width: Width) -> MachineSource {
    guard let constant = operand.constant, width != .double else { return machineSource(operand) }
    return .immediate(Int32(truncatingIfNeeded: constant))
  }

  /// An address and what is left of the offset.
  mutating func base(_ address: IROperand, _ offset: Int32) -> (MachineBase, Int16) {
    var start = argument(address)
    var distance = Int64(offset)
    switch start {
    case .frame(let bytes):
      if let near = Int16(exactly: distance + Int64(bytes)) { return (.frame, near) }
    case .offset(let register, let bytes):
      start = .register(register)
      distance += Int64(bytes)
    case .mapValue(let map, let bytes):
      let known = mapAddress(map, bytes)
      start = .register(known.register)
      distance += Int64(bytes) - Int64(known.offset)
    default: break
    }
    var base = start.register
    if base == nil {
      base = result.newRegister()
      emit(.set(start), base)
    }
    let register = base ?? VirtualRegister(number: 0)
    if let near = Int16(exactly: distance) { return (.register(register), near) }
    let sum = result.newRegister()
    emit(.set(.offset(register, Int32(truncatingIfNeeded: distance))), sum)
    return (.register(sum), 0)
  }

  /// An address in a map's value: the last one if that is near enough, so that a row of accesses makes only one.
  private mutating func mapAddress(_ map: MapReference, _ offset: Int32) -> MapAddress {
    if let known = mapAddress, known.map == map, Int16(exactly: Int64(offset) - Int64(known.offset)) != nil {
      return known
    }
    let made = MapAddress(map: map, offset: offset, register: result.newRegister())
    emit(.set(.mapValue(map, offset)), made.register)
    mapAddress = made
    return made
  }
}
