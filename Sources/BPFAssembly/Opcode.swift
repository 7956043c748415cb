/// The parts that an instruction's `code` byte is made of (linux/bpf_common.h, linux/bpf.h).
enum Opcode {
  /// The instruction class, in the low three bits.
  enum Class {
    static let mask: UInt8 = 0x07
    static let load: UInt8 = 0x00
    static let loadRegister: UInt8 = 0x01
    static let storeImmediate: UInt8 = 0x02
    static let storeRegister: UInt8 = 0x03
    static let alu32: UInt8 = 0x04
    static let jump64: UInt8 = 0x05
    static let jump32: UInt8 = 0x06
    static let alu64: UInt8 = 0x07
  }

  /// What a load or store addresses, in the high three bits.
  enum Mode {
    static let mask: UInt8 = 0xe0
    static let packetAbsolute: UInt8 = 0x20
    static let packetIndirect: UInt8 = 0x40
    static let memory: UInt8 = 0x60
    static let atomic: UInt8 = 0xc0
  }

  /// The operation of an arithmetic instruction or jump, in the high four bits.
  static let operationMask: UInt8 = 0xf0
  /// The second operand is a register, not the immediate; for byte swaps, the target is big-endian.
  static let registerSource: UInt8 = 0x08
  static let negate: UInt8 = 0x80
  static let byteSwap: UInt8 = 0xd0

  static let loadImmediate64: UInt8 = 0x18
  static let jump: UInt8 = 0x05
  static let call: UInt8 = 0x85
  static let exit: UInt8 = 0x95
}

/// What the source register's number means in a `ld_imm64` or call (`BPF_PSEUDO_…` in linux/bpf.h).
enum Pseudo {
  static let mapDescriptor: UInt8 = 1
  static let mapValue: UInt8 = 2
  static let function: UInt8 = 4
  static let subprogramCall: UInt8 = 1
  static let kernelFunctionCall: UInt8 = 2
}
