/// Arithmetic.
extension Assembler {
  /// `destination = destination OPERATION source`.
  public mutating func alu(
    _ operation: ALU, _ destination: Register, _ source: Operand, _ size: OperandSize = .bits64
  ) {
    let family = size == .bits64 ? Opcode.Class.alu64 : Opcode.Class.alu32
    emit(.binary(family | operation.rawValue, destination, source))
  }

  /// `destination = destination OPERATION source`.
  public mutating func alu(
    _ operation: ALU, _ destination: Register, _ source: Register, _ size: OperandSize = .bits64
  ) {
    alu(operation, destination, .register(source), size)
  }

  /// `register = -register`.
  public mutating func negate(_ register: Register, _ size: OperandSize = .bits64) {
    let family = size == .bits64 ? Opcode.Class.alu64 : Opcode.Class.alu32
    emit(Instruction(code: family | Opcode.negate, destination: register.rawValue))
  }

  /// Converts the low bits between the machine's byte order and `order`, and zeroes the bits above them.
  ///
  /// - Parameter width: half, word or double; a byte has no order, and is only cut off.
  public mutating func swapBytes(_ register: Register, to order: ByteOrder, _ width: Width) {
    guard width != .byte else { return alu(.and, register, 0xff) }
    let code = Opcode.Class.alu32 | Opcode.byteSwap | order.rawValue
    emit(Instruction(code: code, destination: register.rawValue, immediate: Int32(width.bytes * 8)))
  }

  /// `destination = source`; with 32 bits, the high half becomes zero.
  public mutating func move(_ destination: Register, _ source: Register, _ size: OperandSize = .bits64) {
    alu(.mov, destination, source, size)
  }

  /// `destination = value` in the shortest form: one slot for what sign- or zero-extends from 32 bits, else two.
  public mutating func loadImmediate(_ destination: Register, _ value: Int64) {
    if let small = Int32(exactly: value) { return alu(.mov, destination, .immediate(small)) }
    let low = Int32(truncatingIfNeeded: value)
    if UInt32(exactly: value) != nil { return alu(.mov, destination, .immediate(low), .bits32) }
    emitWide(destination, source: 0, low: low, high: Int32(truncatingIfNeeded: value >> 32))
  }
}

/// Memory and maps.
extension Assembler {
  /// `destination = map`, as helpers take it.
  public mutating func loadMap(_ destination: Register, _ map: MapReference) {
    emitMap(destination, source: Pseudo.mapDescriptor, map, offset: 0)
  }

  /// `destination =` the address of byte `offset` in the first value of an array map.
  public mutating func loadMapValue(_ destination: Register, _ map: MapReference, offset: Int32) {
    emitMap(destination, source: Pseudo.mapValue, map, offset: offset)
  }

  /// `destination = *(WIDTH *)(base + offset)`, zero-extended.
  public mutating func load(_ destination: Register, _ width: Width, _ base: Register, _ offset: Int16) {
    let code = Opcode.Class.loadRegister | Opcode.Mode.memory | width.rawValue
    emit(
      Instruction(code: code, destination: destination.rawValue, source: base.rawValue, offset: offset))
  }

  /// `*(WIDTH *)(base + offset) = source`.
  public mutating func store(_ width: Width, _ base: Register, _ offset: Int16, _ source: Register) {
    store(width, base, offset, .register(source))
  }

  /// `*(WIDTH *)(base + offset) = source`; a double gets an immediate sign-extended.
  public mutating func store(_ width: Width, _ base: Register, _ offset: Int16, _ source: Operand) {
    let form = Opcode.Mode.memory | width.rawValue
    switch source {
    case .register(let register):
      emit(
        Instruction(
          code: Opcode.Class.storeRegister | form, destination: base.rawValue, source: register.rawValue,
          offset: offset))
    case .immediate(let value):
      emit(
        Instruction(
          code: Opcode.Class.storeImmediate | form, destination: base.rawValue, offset: offset, immediate: value))
    }
  }

  /// Does `operation` with the `size` bits at `base + offset` and `source` in one step that no other CPU can split.
  public mutating func atomic(
    _ operation: Atomic, _ base: Register, _ offset: Int16, _ source: Register, _ size: OperandSize = .bits64
  ) {
    let width = size == .bits64 ? Width.double : Width.word
    emit(
      Instruction(
        code: Opcode.Class.storeRegister | Opcode.Mode.atomic | width.rawValue, destination: base.rawValue,
        source: source.rawValue, offset: offset, immediate: operation.rawValue))
  }
}

/// Control.
extension Assembler {
  public mutating func jump(to label: Label) {
    emitJump(.jump(0), to: label)
  }

  /// Jumps to the label if `left CONDITION right` holds; with 32 bits, for the low halves.
  public mutating func jump(
    if condition: Condition, _ left: Register, _ right: Operand, to label: Label, _ size: OperandSize = .bits64
  ) {
    let family = size == .bits64 ? Opcode.Class.jump64 : Opcode.Class.jump32
    emitJump(.binary(family | condition.rawValue, left, right), to: label)
  }

  /// Jumps to the label if `left CONDITION right` holds; with 32 bits, for the low halves.
  public mutating func jump(
    if condition: Condition, _ left: Register, _ right: Register, to label: Label, _ size: OperandSize = .bits64
  ) {
    jump(if: condition, left, .register(right), to: label, size)
  }

  /// Calls a helper by its number, for numbers that `Helper` does not know; r1 to r5 are lost.
  public mutating func call(helper number: Int32) {
    emit(Instruction(code: Opcode.call, immediate: number))
  }

  /// Calls a helper of the kernel with r1 to r5, which are lost; r0 holds the result.
  public mutating func call(_ helper: Helper) {
    call(helper: helper.rawValue)
  }

  /// Calls the function that begins at the label, in a stack frame of its own.
  public mutating func callSubprogram(_ label: Label) {
    emitCall(label)
  }

  /// `destination =` the function that begins at the label, for helpers that call back (`bpf_loop`).
  ///
  /// The kernel takes such programs only with BTF function info for each of `AssembledProgram.entries`.
  public mutating func loadSubprogramAddress(_ destination: Register, _ label: Label) {
    emitAddress(destination, of: label)
  }

  /// Returns r0 from the function or program.
  public mutating func exit() {
    emit(Instruction(code: Opcode.exit))
  }
}

extension Instruction {
  /// An instruction whose second operand is a register or the immediate.
  fileprivate static func binary(_ code: UInt8, _ destination: Register, _ source: Operand) -> Instruction {
    switch source {
    case .register(let register):
      Instruction(
        code: code | Opcode.registerSource, destination: destination.rawValue, source: register.rawValue)
    case .immediate(let value):
      Instruction(code: code, destination: destination.rawValue, immediate: value)
    }
  }
}
