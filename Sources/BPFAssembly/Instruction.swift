/// One BPF instruction slot, with the memory layout of the kernel's `struct bpf_insn` (linux/bpf.h).
///
/// A `ld_imm64` fills two slots; the second is data that only looks like an instruction.
public struct Instruction: Hashable, Sendable {
  public var code: UInt8
  /// Destination register in the low four bits, source in the high four.
  public var registers: UInt8
  public var offset: Int16
  public var immediate: Int32

  public init(code: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0) {
    self.code = code
    self.registers = destination & 0xf | source << 4
    self.offset = offset
    self.immediate = immediate
  }

  public var destination: UInt8 { registers & 0xf }
  public var source: UInt8 { registers >> 4 }

  /// The number of the helper that this instruction calls; nil for everything else, calls of subprograms and kfuncs
  /// included.
  public var helper: Int32? { code == Opcode.call && registers == 0 ? immediate : nil }

  /// Whether this is the first half of a 16-byte `ld_imm64`; the second half is data, not an instruction.
  public var isWide: Bool { code == Opcode.loadImmediate64 }

  /// Whether it computes with, compares with or stores its immediate.
  public var holdsConstant: Bool {
    switch code & Opcode.Class.mask {
    case Opcode.Class.storeImmediate: true
    case Opcode.Class.alu32, Opcode.Class.alu64, Opcode.Class.jump32, Opcode.Class.jump64:
      code & Opcode.registerSource == 0 && ![Opcode.jump, Opcode.call, Opcode.exit].contains(code)
    default: false
    }
  }

  /// `goto pc+offset`, counted from the next instruction.
  public static func jump(_ offset: Int16) -> Instruction { Instruction(code: Opcode.jump, offset: offset) }

  /// The instructions in a section's bytes; bytes behind the last whole slot are left out.
  public static func array(_ bytes: ArraySlice<UInt8>) -> [Instruction] {
    bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Instruction.self) }
    }
  }

  /// The numbers of the helpers that the instructions call, ascending.
  public static func helpers(in instructions: [Instruction]) -> [Int32] {
    Set(indices(ofCallsIn: instructions).compactMap { instructions[$0].helper }).sorted()
  }

  /// Where helpers are called.
  public static func indices(ofCallsIn instructions: [Instruction]) -> [Int] {
    var found: [Int] = []
    var index = 0
    while index < instructions.count {
      if instructions[index].helper != nil { found.append(index) }
      index += instructions[index].isWide ? 2 : 1
    }
    return found
  }
}
