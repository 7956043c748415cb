import BPFAssembly

/// One IR instruction as machine instructions.
extension Lowering {
  mutating func lower(_ instruction: IRInstruction) {
    defer { if instruction.operation.isCall { mapAddress = nil } }
    let result = instruction.result.map { VirtualRegister(number: $0.number) }
    switch instruction.operation {
    case .context: keepEntryValue(isBody ? .r2 : .r1, instruction.result)
    case .iteration: keepEntryValue(.r1, instruction.result)
    case .binary(let operation, let left, let right): lower(operation, left, right, result)
    case .negate(let operand): emit(.negate(register(operand)), result)
    case .number(let operand): emit(.number(register(operand)), result)
    case .swapBytes(let operand, let width): emit(.swapBytes(register(operand), width), result)
    case .extend(let operand, let width, let signed): extend(operand, width, signed, result)
    case .compare(let condition, let left, let right):
      let isSwapped = left.constant != nil
      let register = register(isSwapped ? right : left)
      let source = machineSource(isSwapped ? left : right)
      emit(.compare(isSwapped ? condition.swapped : condition, register, source), result)
    case .load(let address, let offset, let width, let signed):
      let (base, near) = base(address, offset)
      emit(.load(base, near, width, signed: signed && width != .double), result)
    case .store(let address, let offset, let width, let value):
      let (base, near) = base(address, offset)
      emit(.store(base, near, width, stored(value, width)))
    case .atomic(let operation, let address, let offset, let operand, let expected):
      atomic(operation, base(address, offset), operand, expected, result)
    case .call(let helper, let arguments): emit(.call(helper, arguments.mapped { argument($0) }), result)
    case .loop(let body, let count): loop(body, count, result)
    }
  }

  private mutating func keepEntryValue(_ register: Register, _ value: ValueID?) {
    if let value { alias(value, entryValue(register)) }
  }

  private mutating func lower(_ operation: ALU, _ left: IROperand, _ right: IROperand, _ result: VirtualRegister?) {
    let swaps = operation.isCommutative && left.constant != nil
    let first = register(swaps ? right : left)
    emit(.binary(operation, first, machineSource(swaps ? left : right)), result)
  }

  private mutating func extend(_ operand: IROperand, _ width: Width, _ signed: Bool, _ result: VirtualRegister?) {
    let register = register(operand)
    switch (width, signed) {
    case (.double, _): emit(.set(.register(register)), result)
    case (_, true): emit(.signExtend(register, width), result)
    case (.word, false): emit(.zeroExtendWord(register), result)
    case (.half, false): emit(.binary(.and, register, .immediate(0xffff)), result)
    case (.byte, false): emit(.binary(.and, register, .immediate(0xff)), result)
    }
  }

  private mutating func atomic(
    _ operation: Atomic, _ address: (MachineBase, Int16), _ operand: IROperand, _ expected: IROperand?,
    _ result: VirtualRegister?
  ) {
    let operand = register(operand)
    guard operation == .compareExchange, let expected else {
      // The old value overwrites the operand's register, wanted or not.
      let old = operation.answers ? result ?? self.result.newRegister() : nil
      return emit(.atomic(operation, address.0, address.1, operand), old)
    }
    let wanted = self.result.newRegister()
    emit(.set(argument(expected)), wanted)
    emit(.compareExchange(address.0, address.1, operand, expected: wanted), result)
  }

  private mutating func loop(_ body: FunctionID, _ count: IROperand, _ result: VirtualRegister?) {
    let context = source.handover.map { argument(.slot($0, 0)) } ?? .immediate(0)
    emit(.call(.loop, [argument(count), .function(body), context, .immediate(0)]), result)
  }
}

extension IROperation {
  /// Whether r0 to r5 are lost.
  fileprivate var isCall: Bool {
    switch self {
    case .call, .loop: true
    default: false
    }
  }
}
