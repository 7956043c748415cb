/// Whether the operands of one instruction name what exists (lopcodes.h says what they mean).
struct OperandCheck {
  let prototype: LuaPrototype
  let pc: Int
  let instruction: LuaInstruction

  private var a: Int { instruction.a }
  private var b: Int { instruction.b }
  private var c: Int { instruction.c }

  /// What is wrong; nil when nothing is.
  var problem: String? {
    switch instruction.opcode {
    case .move, .unm, .bnot, .not, .len: registers(a, b)
    case .loadI, .loadF, .loadFalse, .loadTrue, .close, .tbc: registers(a)
    case .return0: nil
    case .return1: registers(a)
    case .loadK: registers(a) ?? constant(instruction.bx)
    case .loadKX: registers(a) ?? extraConstant
    case .lFalseSkip: registers(a) ?? within(pc + 2)
    case .loadNil: registers(a + b)
    case .getUpval, .setUpval: registers(a) ?? upvalue(b)
    case .getTabUp: registers(a) ?? upvalue(b) ?? name(c)
    case .setTabUp: upvalue(a) ?? name(b) ?? registerOrConstant
    case .getTable: registers(a, b, c)
    case .getI: registers(a, b)
    case .getField: registers(a, b) ?? name(c)
    case .setTable: registers(a, b) ?? registerOrConstant
    case .setI: registers(a) ?? registerOrConstant
    case .setField: registers(a) ?? name(b) ?? registerOrConstant
    case .newTable: registers(a) ?? followed(by: .extraArg)
    case .self: registers(a + 1, b) ?? (instruction.k ? name(c) : registers(c))
    case .addI, .shrI, .shlI: registers(a, b) ?? fallback
    case .addK, .subK, .mulK, .modK, .powK, .divK, .idivK, .bandK, .borK, .bxorK:
      registers(a, b) ?? constant(c) ?? fallback
    case .add, .sub, .mul, .mod, .pow, .div, .idiv, .band, .bor, .bxor, .shl, .shr:
      registers(a, b, c) ?? fallback
    case .mmBin: registers(a, b) ?? event
    case .mmBinI: registers(a) ?? event
    case .mmBinK: registers(a) ?? constant(b) ?? event
    case .concat: registers(a + max(b, 1) - 1)
    case .jmp: jump
    case .eq, .lt, .le: registers(a, b) ?? test
    case .eqK: registers(a) ?? constant(b) ?? test
    case .eqI, .ltI, .leI, .gtI, .geI, .test: registers(a) ?? test
    case .testSet: registers(a, b) ?? test
    case .call: registers(a + max(b, 1) - 1, a + max(c, 2) - 2)
    case .tailCall: registers(a + max(b, 1) - 1)
    case .return: b == 1 ? nil : registers(a + max(b, 2) - 2)
    case .forLoop: registers(a + 3) ?? jump
    case .forPrep: registers(a + 3) ?? jump ?? leads(to: .forLoop, at: pc + 1 + instruction.bx)
    case .tforPrep: registers(a + 3) ?? jump ?? leads(to: .tforCall, at: pc + 1 + instruction.bx)
    case .tforCall: registers(a + 6, a + 3 + c) ?? followed(by: .tforLoop)
    case .tforLoop: registers(a + 4) ?? jump
    case .setList: registers(a + b) ?? (instruction.k ? followed(by: .extraArg) : nil)
    case .closure: registers(a) ?? closure
    case .vararg: registers(a + max(c, 2) - 2)
    case .varargPrep: parameters
    case .extraArg: extra
    }
  }

  /// - Parameters: up to three registers; register 0 exists where others do.
  private func registers(_ one: Int, _ two: Int = 0, _ three: Int = 0) -> String? {
    let count = prototype.maxStackSize
    if one < count, two < count, three < count { return nil }
    return [one, two, three].first { $0 >= count }.map { "register \($0) of \(count)" }
  }

  private func constant(_ number: Int) -> String? {
    number < prototype.constants.count ? nil : "constant \(number) of \(prototype.constants.count)"
  }

  /// A constant that must be a string.
  private func name(_ number: Int) -> String? {
    constant(number) ?? (prototype.constants[number].isString ? nil : "constant \(number) is not a string")
  }

  private var registerOrConstant: String? { instruction.k ? constant(c) : registers(c) }

  private func upvalue(_ number: Int) -> String? {
    number < prototype.upvalues.count ? nil : "upvalue \(number) of \(prototype.upvalues.count)"
  }

  private var closure: String? {
    let (number, count) = (instruction.bx, prototype.prototypes.count)
    return number < count ? nil : "function \(number) of \(count)"
  }

  private var parameters: String? {
    prototype.isVararg && a == prototype.parameterCount
      ? nil : "the function has \(prototype.parameterCount) parameters"
  }

  /// An operator that succeeds skips the instruction that calls its metamethod.
  private var fallback: String? {
    if let problem = within(pc + 2) { return problem }
    return prototype.instructions[pc + 1].opcode.isFallback ? nil : "no metamethod's call follows"
  }

  /// The metamethod of the operator before, one of 25 (ltm.h).
  private var event: String? {
    guard pc > 0, prototype.instructions[pc - 1].opcode.isOperator else { return "it follows no operator" }
    return c < LuaPrototype.events.count ? nil : "metamethod \(c) of \(LuaPrototype.events.count)"
  }

  /// Jumps lead to instructions that stand for themselves, not to the second half of a pair.
  private var jump: String? {
    guard let target = instruction.target(at: pc) else { return nil }
    if let problem = within(target) { return problem }
    let opcode = prototype.instructions[target].opcode
    let isTail = opcode == .extraArg || opcode.isFallback
    return isTail ? "it leads to instruction \(target + 1), \(opcode.name)" : nil
  }

  /// Tests skip the jump that follows them.
  private var test: String? { followed(by: .jmp) ?? within(pc + 2) }

  private func within(_ target: Int) -> String? {
    prototype.instructions.indices.contains(target)
      ? nil : "it leads to instruction \(target + 1) of \(prototype.instructions.count)"
  }

  private func followed(by opcode: LuaOpcode) -> String? { leads(to: opcode, at: pc + 1) }

  private func leads(to opcode: LuaOpcode, at target: Int) -> String? {
    within(target)
      ?? (prototype.instructions[target].opcode == opcode
        ? nil : "instruction \(target + 1) is not its \(opcode.name)")
  }

  private var extraConstant: String? {
    followed(by: .extraArg) ?? constant(prototype.instructions[pc + 1].ax)
  }

  /// Extra arguments belong to the instruction before.
  private var extra: String? {
    guard pc > 0 else { return "it belongs to no instruction" }
    let owner = prototype.instructions[pc - 1]
    let owns = [.loadKX, .newTable].contains(owner.opcode) || owner.opcode == .setList && owner.k
    return owns ? nil : "it belongs to no instruction"
  }
}
