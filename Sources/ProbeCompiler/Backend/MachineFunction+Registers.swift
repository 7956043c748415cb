import BPFAssembly

/// Which virtual registers instructions read, and how long.
extension MachineOperation {
  /// When an operand's register is free for others.
  enum Reading {
    /// As soon as the instruction has read its operands: the result may take it.
    case early
    /// Only after the result is written.
    case late
  }

  /// Calls `body` with each register that is read.
  func forEachRead(_ body: (VirtualRegister, Reading) -> Void) {
    switch self {
    case .set(let argument): if let register = argument.register { body(register, .early) }
    case .binary(let operation, let left, let right):
      body(left, .early)
      if let right = right.register { body(right, operation.isCommutative ? .early : .late) }
    case .negate(let register), .number(let register), .zeroExtendWord(let register), .signExtend(let register, _),
      .swapBytes(let register, _):
      body(register, .early)
    case .compare(_, let left, let right):
      body(left, .late)
      if let right = right.register { body(right, .late) }
    case .load(let base, _, _, _): if let base = base.register { body(base, .early) }
    case .store(let base, _, _, let value):
      if let base = base.register { body(base, .early) }
      if let value = value.register { body(value, .early) }
    case .atomic(_, let base, _, let operand):
      if let base = base.register { body(base, .late) }
      body(operand, .early)
    case .compareExchange(let base, _, let operand, let expected):
      if let base = base.register { body(base, .early) }
      body(operand, .early)
      body(expected, .early)
    case .call(_, let arguments):
      for argument in arguments { if let register = argument.register { body(register, .early) } }
    }
  }

  /// The operand that had best be in the result's register, because the instruction works in place.
  var tied: VirtualRegister? {
    switch self {
    case .binary(_, let register, _), .negate(let register), .number(let register), .zeroExtendWord(let register),
      .signExtend(let register, _), .swapBytes(let register, _), .atomic(_, _, _, let register),
      .set(.register(let register)), .set(.offset(let register, _)):
      register
    default: nil
    }
  }

  /// The same operation on other registers; `argument` says what stands for the arguments of calls.
  func rewritten(
    _ register: (VirtualRegister) -> VirtualRegister, argument: (MachineArgument) -> MachineArgument
  ) -> MachineOperation {
    func source(_ source: MachineSource) -> MachineSource { source.register.map { .register(register($0)) } ?? source }
    func base(_ base: MachineBase) -> MachineBase { base.register.map { .register(register($0)) } ?? base }
    return switch self {
    case .set(let value): .set(argument(value))
    case .binary(let operation, let left, let right): .binary(operation, register(left), source(right))
    case .negate(let operand): .negate(register(operand))
    case .number(let operand): .number(register(operand))
    case .zeroExtendWord(let operand): .zeroExtendWord(register(operand))
    case .signExtend(let operand, let width): .signExtend(register(operand), width)
    case .swapBytes(let operand, let width): .swapBytes(register(operand), width)
    case .compare(let condition, let left, let right): .compare(condition, register(left), source(right))
    case .load(let address, let offset, let width, let signed): .load(base(address), offset, width, signed: signed)
    case .store(let address, let offset, let width, let value): .store(base(address), offset, width, source(value))
    case .atomic(let operation, let address, let offset, let operand):
      .atomic(operation, base(address), offset, register(operand))
    case .compareExchange(let address, let offset, let operand, let expected):
      .compareExchange(base(address), offset, register(operand), expected: register(expected))
    case .call(let helper, let arguments): .call(helper, arguments.mapped(argument))
    }
  }
}

extension MachineTerminator {
  /// Calls `body` with each register that is read.
  func forEachRead(_ body: (VirtualRegister) -> Void) {
    switch self {
    case .jump(_, let arguments): for argument in arguments { argument.register.map(body) }
    case .branch(_, let left, let right, _, _):
      body(left)
      right.register.map(body)
    case .exit(let argument): argument.register.map(body)
    }
  }

  /// The blocks that it leads to.
  func forEachTarget(_ body: (Int) -> Void) {
    switch self {
    case .jump(let target, _): body(target)
    case .branch(_, _, _, let first, let second):
      body(first)
      body(second)
    case .exit: break
    }
  }
}

extension ALU {
  /// Whether the operands may change places.
  var isCommutative: Bool {
    switch self {
    case .add, .mul, .and, .or, .xor: true
    case .sub, .div, .mod, .lsh, .rsh, .arsh, .mov: false
    }
  }
}

extension Condition {
  /// The condition that asks the same with the operands in the other order.
  var swapped: Condition {
    switch self {
    case .eq, .ne, .set: self
    case .gt: .lt
    case .ge: .le
    case .lt: .gt
    case .le: .ge
    case .sgt: .slt
    case .sge: .sle
    case .slt: .sgt
    case .sle: .sge
    }
  }
}
