import LuaBytecode

/// The registers that one instruction reads and writes (lopcodes.h).
struct RegisterUse {
  private(set) var read = RegisterSet()
  private(set) var written = RegisterSet()

  init(_ code: [LuaInstruction], _ pc: Int) {
    let i = code[pc]
    switch i.opcode {
    case .move, .unm, .bnot, .not, .len, .getI, .getField, .addI, .shrI, .shlI,
      .addK, .subK, .mulK, .modK, .powK, .divK, .idivK, .bandK, .borK, .bxorK:
      set([i.b], [i.a])
    case .loadI, .loadF, .loadK, .loadKX, .loadFalse, .lFalseSkip, .loadTrue, .getUpval, .getTabUp, .newTable, .closure:
      set([], [i.a])
    case .loadNil: set([], range(i.a, i.b + 1))
    case .setUpval, .test, .eqK, .eqI, .ltI, .leI, .gtI, .geI, .return1: set([i.a], [])
    case .getTable, .add, .sub, .mul, .mod, .pow, .div, .idiv, .band, .bor, .bxor, .shl, .shr: set([i.b, i.c], [i.a])
    case .setTabUp: set(i.k ? [] : [i.c], [])
    case .setTable: set(i.k ? [i.a, i.b] : [i.a, i.b, i.c], [])
    case .setI, .setField: set(i.k ? [i.a] : [i.a, i.c], [])
    case .`self`: set(i.k ? [i.b] : [i.b, i.c], [i.a, i.a + 1])
    case .mmBin, .mmBinI, .mmBinK, .jmp, .return0, .extraArg, .varargPrep, .close: break
    case .concat: set(range(i.a, i.b), [i.a])
    case .tbc: set([i.a], [])
    case .eq, .lt, .le: set([i.a, i.b], [])
    case .testSet: set([i.a, i.b], [i.a])  // it keeps what A held when the test fails
    case .call: set(calledWith(i, code, pc), i.c == 0 ? range(i.a, 1) : range(i.a, i.c - 1))
    case .tailCall: set(calledWith(i, code, pc), [])
    case .return: set(i.b == 0 ? openRange(from: i.a, code, pc) : range(i.a, i.b - 1), [])
    case .forLoop: set(range(i.a, 3), range(i.a, 4))
    case .forPrep: set(range(i.a, 3), range(i.a, 4))
    case .tforPrep, .tforCall, .tforLoop: set(range(i.a, 4), range(i.a, 7))
    case .setList: set(i.b == 0 ? openRange(from: i.a, code, pc) : range(i.a, i.b + 1), [])
    case .vararg: set([], i.c == 0 ? range(i.a, 1) : range(i.a, i.c - 1))
    }
  }

  private mutating func set(_ read: RegisterSet, _ written: RegisterSet) {
    (self.read, self.written) = (read, written)
  }

  private func range(_ start: Int, _ count: Int) -> RegisterSet {
    RegisterSet(start..<max(start, start + count))
  }

  /// The function and its arguments.
  private func calledWith(_ i: LuaInstruction, _ code: [LuaInstruction], _ pc: Int) -> RegisterSet {
    i.b > 0 ? range(i.a, i.b) : openRange(from: i.a, code, pc)
  }

  /// An open list of values: it ends where the call before it put its first result.
  private func openRange(from start: Int, _ code: [LuaInstruction], _ pc: Int) -> RegisterSet {
    let last = code[..<pc].last { $0.opcode == .tailCall || ($0.opcode == .call || $0.opcode == .vararg) && $0.c == 0 }
    return range(start, max(1, (last?.a ?? start) - start + 1))
  }
}
