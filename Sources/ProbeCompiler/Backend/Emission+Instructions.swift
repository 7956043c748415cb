import BPFAssembly

/// One machine instruction as those of BPF.
extension Emission {
  mutating func write(_ instruction: MachineInstruction) {
    // Results that nobody wants have registers too, because instructions write them.
    let result = instruction.result.map { register($0) } ?? .r0
    switch instruction.operation {
    case .set(let argument): set(result, argument)
    case .binary(let operation, let left, let right): binary(operation, result, register(left), operand(right))
    case .negate(let value):
      move(result, register(value))
      assembler.negate(result)
    case .number(let value):
      move(result, register(value))
      assembler.negate(result)
      assembler.negate(result)
    case .zeroExtendWord(let value): assembler.move(result, register(value), .bits32)
    case .signExtend(let value, let width):
      move(result, register(value))
      extendSign(result, width)
    case .swapBytes(let value, let width):
      move(result, register(value))
      assembler.swapBytes(result, to: .big, width)
    case .compare(let condition, let left, let right): compare(condition, result, register(left), operand(right))
    case .load(let base, let offset, let width, let signed):
      assembler.load(result, width, register(base), offset)
      if signed { extendSign(result, width) }
    case .store(let base, let offset, let width, let value):
      assembler.store(width, register(base), offset, operand(value))
    case .atomic(let operation, let base, let offset, let value):
      let source = register(value)
      if instruction.result != nil { move(result, source) }
      assembler.atomic(operation, register(base), offset, instruction.result == nil ? source : result)
    case .compareExchange(let base, let offset, let value, _):
      assembler.atomic(.compareExchange, register(base), offset, register(value))
      if instruction.result != nil { move(result, .r0) }
    case .call(let helper, let arguments):
      call(helper, arguments)
      if instruction.result != nil { move(result, .r0) }
    }
  }

  private func register(_ base: MachineBase) -> Register { base.register.map { register($0) } ?? .frame }

  private mutating func move(_ destination: Register, _ source: Register) {
    if destination != source { assembler.move(destination, source) }
  }

  private mutating func binary(_ operation: ALU, _ result: Register, _ left: Register, _ right: Operand) {
    if right == .register(result), left != result, operation.isCommutative {
      return assembler.alu(operation, result, left)
    }
    move(result, left)
    assembler.alu(operation, result, right)
  }

  private mutating func extendSign(_ register: Register, _ width: Width) {
    let bits = Int32(64 - width.bytes * 8)
    assembler.alu(.lsh, register, .immediate(bits))
    assembler.alu(.arsh, register, .immediate(bits))
  }

  private mutating func compare(_ condition: Condition, _ result: Register, _ left: Register, _ right: Operand) {
    let end = assembler.newLabel()
    assembler.loadImmediate(result, 1)
    assembler.jump(if: condition, left, right, to: end)
    assembler.loadImmediate(result, 0)
    assembler.bind(end)
  }

  private mutating func call(_ helper: Helper, _ arguments: CallArguments<MachineArgument>) {
    let registers: [Register] = [.r1, .r2, .r3, .r4, .r5]
    // No value lives in r0 here that is not moved before a cycle is broken.
    set(Array(zip(registers, arguments)), spare: .r0)
    assembler.call(helper)
  }

  /// Puts arguments in their registers, all at once.
  mutating func set(_ arguments: [(Register, MachineArgument)], spare: Register?) {
    var moves: [(to: Register, from: Register)] = []
    for (destination, argument) in arguments {
      if let value = argument.register { moves.append((destination, register(value))) }
    }
    write(moves, spare: spare)
    for (destination, argument) in arguments {
      switch argument {
      case .register: break
      case .offset(_, let distance): add(destination, distance)
      default: set(destination, argument)
      }
    }
  }

  mutating func write(_ moves: [(to: Register, from: Register)], spare: Register?) {
    for step in ParallelMove.steps(moves, spare: spare) {
      switch step {
      case .move(let destination, let source): assembler.move(destination, source)
      case .save(let source):
        frameSize += 8
        assembler.store(.double, .frame, Int16(-frameSize), source)
      case .restore(let destination): assembler.load(destination, .double, .frame, Int16(-frameSize))
      }
    }
  }

  /// Puts one argument in its register.
  mutating func set(_ destination: Register, _ argument: MachineArgument) {
    switch argument {
    case .register(let value): move(destination, register(value))
    case .immediate(let value): assembler.loadImmediate(destination, value)
    case .frame(let distance):
      assembler.move(destination, .frame)
      add(destination, distance)
    case .offset(let value, let distance):
      move(destination, register(value))
      add(destination, distance)
    case .map(let map): assembler.loadMap(destination, map)
    case .mapValue(let map, let offset): assembler.loadMapValue(destination, map, offset: offset)
    case .function(let function): assembler.loadSubprogramAddress(destination, entries[function.index])
    case .spilled(let offset): assembler.load(destination, .double, .frame, Int16(offset))
    }
  }

  private mutating func add(_ destination: Register, _ distance: Int32) {
    if distance != 0 { assembler.alu(.add, destination, .immediate(distance)) }
  }
}
