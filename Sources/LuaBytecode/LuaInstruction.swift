/// One instruction of Lua 5.4's virtual machine (lopcodes.h).
///
/// From the low bits up: the opcode in 7 bits, then A (8), k (1), B (8), C (8); or A and Bx (17); or Ax or sJ (25).
/// Which operands mean something depends on `opcode.mode`.
public struct LuaInstruction: Hashable, Sendable {
  public let rawValue: UInt32
  public let opcode: LuaOpcode

  /// Nil when the opcode's number is above 82.
  public init?(rawValue: UInt32) {
    guard let opcode = LuaOpcode(rawValue: UInt8(rawValue & 0x7f)) else { return nil }
    self.rawValue = rawValue
    self.opcode = opcode
  }

  public var a: Int { field(7, 8) }
  public var b: Int { field(16, 8) }
  public var c: Int { field(24, 8) }
  public var k: Bool { field(15, 1) == 1 }
  public var bx: Int { field(15, 17) }
  public var ax: Int { field(7, 25) }
  /// B and C as signed numbers.
  public var sB: Int { b - 127 }
  public var sC: Int { c - 127 }
  public var sBx: Int { bx - 65535 }
  /// The distance of a `jmp`, counted from the next instruction.
  public var sJ: Int { ax - 16_777_215 }

  /// Where a jump or loop instruction at `pc` leads, 0-based; nil for others. For `forPrep`, where the body is skipped to.
  public func target(at pc: Int) -> Int? {
    switch opcode {
    case .jmp: pc + 1 + sJ
    case .forLoop, .tforLoop: pc + 1 - bx
    case .forPrep: pc + 2 + bx
    case .tforPrep: pc + 1 + bx
    default: nil
    }
  }

  private func field(_ position: UInt32, _ size: UInt32) -> Int {
    Int(rawValue >> position & ((1 << size) - 1))
  }
}
