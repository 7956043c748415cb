/// The operands and the comment of one instruction, as `luac -l` prints them. Works on unchecked bytecode.
struct InstructionListing {
  let prototype: LuaPrototype
  let pc: Int
  let instruction: LuaInstruction

  private var a: Int { instruction.a }
  private var b: Int { instruction.b }
  private var c: Int { instruction.c }
  private var k: Int { instruction.k ? 1 : 0 }
  private var mark: String { instruction.k ? "k" : "" }

  var operands: String {
    switch instruction.opcode {
    case .loadI, .loadF: "\(a) \(instruction.sBx)"
    case .loadK, .forLoop, .forPrep, .tforPrep, .tforLoop, .closure: "\(a) \(instruction.bx)"
    case .loadKX, .loadFalse, .lFalseSkip, .loadTrue, .close, .tbc, .return1, .varargPrep: "\(a)"
    case .move, .loadNil, .getUpval, .setUpval, .unm, .bnot, .not, .len, .concat: "\(a) \(b)"
    case .setTabUp, .setTable, .setI, .setField, .self, .tailCall, .return: "\(a) \(b) \(c)\(mark)"
    case .addI, .shrI, .shlI: "\(a) \(b) \(instruction.sC)"
    case .mmBinI: "\(a) \(instruction.sB) \(c) \(k)"
    case .mmBinK: "\(a) \(b) \(c) \(k)"
    case .jmp: "\(instruction.sJ)"
    case .eq, .lt, .le, .eqK, .testSet: "\(a) \(b) \(k)"
    case .eqI, .ltI, .leI, .gtI, .geI: "\(a) \(instruction.sB) \(k)"
    case .test: "\(a) \(k)"
    case .return0: ""
    case .tforCall, .vararg: "\(a) \(c)"
    case .extraArg: "\(instruction.ax)"
    default: "\(a) \(b) \(c)"
    }
  }

  var comment: String? {
    switch instruction.opcode {
    case .loadK: constant(instruction.bx)
    case .loadKX: constant(extra)
    case .loadNil: "\(b + 1) out"
    case .getUpval, .setUpval: upvalue(b)
    case .getTabUp: "\(upvalue(b)) \(constant(c))"
    case .setTabUp: "\(upvalue(a)) \(constant(b))" + (instruction.k ? " \(constant(c))" : "")
    case .getField, .addK, .subK, .mulK, .modK, .powK, .divK, .idivK, .bandK, .borK, .bxorK: constant(c)
    case .setField: constant(b) + (instruction.k ? " \(constant(c))" : "")
    case .setTable, .setI, .self: instruction.k ? constant(c) : nil
    case .newTable: "\(c + extra * 256)"
    case .setList: instruction.k ? "\(c + extra * 256)" : nil
    case .mmBin: event
    case .mmBinI: event + flip
    case .mmBinK: "\(event) \(constant(b))\(flip)"
    case .eqK: constant(b)
    case .call: "\(quantity(b)) in \(quantity(c)) out"
    case .tailCall: "\(b - 1) in"
    case .return: "\(quantity(b)) out"
    case .vararg: "\(quantity(c)) out"
    case .closure: closure
    default: target
    }
  }

  private var target: String? {
    instruction.target(at: pc).map { (instruction.opcode == .forPrep ? "exit to " : "to ") + String($0 + 1) }
  }

  /// Operands hold one more than the number of values; 0 is "as many as there are".
  private func quantity(_ operand: Int) -> String { operand == 0 ? "all" : String(operand - 1) }

  private var extra: Int {
    prototype.instructions.indices.contains(pc + 1) ? prototype.instructions[pc + 1].ax : 0
  }

  private var flip: String { instruction.k ? " flip" : "" }

  private var event: String { LuaPrototype.events.indices.contains(c) ? LuaPrototype.events[c] : "?" }

  private var closure: String {
    guard prototype.prototypes.indices.contains(instruction.bx) else { return "?" }
    return "function <\(prototype.prototypes[instruction.bx].place)>"
  }

  private func upvalue(_ number: Int) -> String {
    prototype.upvalues.indices.contains(number) ? prototype.upvalues[number].name ?? "-" : "?"
  }

  private func constant(_ number: Int) -> String {
    prototype.constants.indices.contains(number) ? "\(prototype.constants[number])" : "?"
  }
}
