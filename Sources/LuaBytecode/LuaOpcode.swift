/// The 83 opcodes of Lua 5.4, in the order of their numbers (lopcodes.h; the same in every 5.4 release).
public enum LuaOpcode: UInt8, CaseIterable, Sendable {
  case move, loadI, loadF, loadK, loadKX, loadFalse, lFalseSkip, loadTrue, loadNil
  case getUpval, setUpval
  case getTabUp, getTable, getI, getField
  case setTabUp, setTable, setI, setField
  case newTable, `self`
  case addI
  case addK, subK, mulK, modK, powK, divK, idivK
  case bandK, borK, bxorK
  case shrI, shlI
  case add, sub, mul, mod, pow, div, idiv
  case band, bor, bxor, shl, shr
  case mmBin, mmBinI, mmBinK
  case unm, bnot, not, len
  case concat
  case close, tbc
  case jmp
  case eq, lt, le
  case eqK, eqI, ltI, leI, gtI, geI
  case test, testSet
  case call, tailCall
  case `return`, return0, return1
  case forLoop, forPrep
  case tforPrep, tforCall, tforLoop
  case setList
  case closure
  case vararg, varargPrep
  case extraArg

  /// How an instruction's bits are divided among its operands.
  public enum Mode: Sendable {
    case abc, abx, asbx, ax, sj
  }

  public var mode: Mode {
    switch self {
    case .loadI, .loadF: .asbx
    case .loadK, .loadKX, .forLoop, .forPrep, .tforPrep, .tforLoop, .closure: .abx
    case .jmp: .sj
    case .extraArg: .ax
    default: .abc
    }
  }

  /// Whether this is a binary arithmetic or bitwise operator, which skips the metamethod's call that follows.
  public var isOperator: Bool { (Self.addI.rawValue...Self.shr.rawValue).contains(rawValue) }

  /// Whether this calls the metamethod of the operator before it.
  public var isFallback: Bool { (Self.mmBin.rawValue...Self.mmBinK.rawValue).contains(rawValue) }

  /// The name as `luac -l` prints it: `GETTABUP`.
  public var name: String { "\(self)".uppercased() }
}
