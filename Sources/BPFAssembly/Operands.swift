/// A BPF register: r0 holds results, r1 to r5 arguments, r6 to r9 survive calls, r10 is the frame pointer.
public enum Register: UInt8, CaseIterable, Sendable {
  case r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10

  /// The end of the 512-byte stack frame, read-only: locals stand at negative offsets.
  public static let frame = Register.r10
}

/// The second operand of an arithmetic instruction or comparison.
///
/// ```swift
/// assembler.alu(.add, .r1, 8)  // an integer literal is an immediate
/// assembler.alu(.add, .r1, .register(.r2))
/// ```
public enum Operand: Hashable, Sendable, ExpressibleByIntegerLiteral {
  case register(Register)
  /// Sign-extended to 64 bits by 64-bit instructions.
  case immediate(Int32)

  public init(integerLiteral value: Int32) {
    self = .immediate(value)
  }
}

/// Whether an instruction works on whole registers, or on their low halves and zeroes the high ones (`w1`).
public enum OperandSize: Sendable {
  case bits32, bits64
}

/// How many bytes a load or store moves; the raw value is its place in the opcode.
public enum Width: UInt8, CaseIterable, Sendable {
  case word = 0x00
  case half = 0x08
  case byte = 0x10
  case double = 0x18

  public var bytes: Int {
    switch self {
    case .byte: 1
    case .half: 2
    case .word: 4
    case .double: 8
    }
  }
}
