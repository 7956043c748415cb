/// Two-operand arithmetic; the raw value is its place in the opcode.
///
/// `div` and `mod` are unsigned; division by zero gives 0 and the remainder by zero the dividend. Shifts take their
/// count modulo the operand size.
public enum ALU: UInt8, CaseIterable, Sendable {
  case add = 0x00
  case sub = 0x10
  case mul = 0x20
  case div = 0x30
  case or = 0x40
  case and = 0x50
  case lsh = 0x60
  case rsh = 0x70
  case mod = 0x90
  case xor = 0xa0
  case mov = 0xb0
  case arsh = 0xc0
}

/// What a conditional jump asks of its operands; the raw value is its place in the opcode.
public enum Condition: UInt8, CaseIterable, Sendable {
  case eq = 0x10
  /// Unsigned comparisons: gt, ge, lt, le.
  case gt = 0x20
  case ge = 0x30
  /// Whether the operands have a bit in common.
  case set = 0x40
  case ne = 0x50
  /// Signed comparisons: sgt, sge, slt, sle.
  case sgt = 0x60
  case sge = 0x70
  case lt = 0xa0
  case le = 0xb0
  case slt = 0xc0
  case sle = 0xd0

  /// The condition that holds when this one does not; nil for `set`, which has none.
  public var negated: Condition? {
    switch self {
    case .eq: .ne
    case .ne: .eq
    case .gt: .le
    case .le: .gt
    case .ge: .lt
    case .lt: .ge
    case .sgt: .sle
    case .sle: .sgt
    case .sge: .slt
    case .slt: .sge
    case .set: nil
    }
  }
}

/// What an atomic instruction does to memory; the raw value is its immediate.
public enum Atomic: Int32, CaseIterable, Sendable {
  case add = 0x00
  case or = 0x40
  case and = 0x50
  case xor = 0xa0
  /// The `fetch` forms leave the old value in the operand register.
  case fetchAdd = 0x01
  case fetchOr = 0x41
  case fetchAnd = 0x51
  case fetchXor = 0xa1
  case exchange = 0xe1
  /// Compares memory with r0, writes the operand if they are equal, and leaves the old value in r0.
  case compareExchange = 0xf1
}

/// A byte order that a register's low bits are converted to; the raw value is its place in the opcode.
public enum ByteOrder: UInt8, Sendable {
  case little = 0x00
  case big = 0x08
}
