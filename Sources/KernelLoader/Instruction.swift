import CLibbpf

/// One BPF instruction, with the memory layout of the kernel's `struct bpf_insn` (linux/bpf.h).
struct Instruction: Equatable, Sendable {
  var code: UInt8
  /// Destination register in the low four bits, source in the high four.
  var registers: UInt8
  var offset: Int16
  var immediate: Int32

  init(code: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0) {
    self.code = code
    self.registers = destination | source << 4
    self.offset = offset
    self.immediate = immediate
  }

  var source: UInt8 { registers >> 4 }

  /// The helper that this instruction calls; nil for everything else, calls of subprograms and kfuncs included.
  var helper: Int32? { code == 0x85 && registers == 0 ? immediate : nil }

  /// Whether this is the first half of a 16-byte `ld_imm64`; the second half is data, not an instruction.
  var isWide: Bool { code == 0x18 }

  static func jump(_ offset: Int16) -> Instruction { Instruction(code: 0x05, offset: offset) }

  /// The instructions of a buffer that libbpf or the kernel gives as `struct bpf_insn`.
  static func array(_ pointer: UnsafePointer<bpf_insn>?, count: Int) -> [Instruction] {
    guard let pointer else { return [] }
    let bytes = UnsafeRawBufferPointer(start: pointer, count: count * 8)
    return (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Instruction.self) }
  }

  /// The instructions in a section's bytes.
  static func array(_ bytes: ArraySlice<UInt8>) -> [Instruction] {
    bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Instruction.self) }
    }
  }

  /// The helpers that the instructions call, ascending.
  static func helpers(in instructions: [Instruction]) -> [Int32] {
    Set(indices(ofCallsIn: instructions).compactMap { instructions[$0].helper }).sorted()
  }

  /// Where helpers are called.
  static func indices(ofCallsIn instructions: [Instruction]) -> [Int] {
    var found: [Int] = []
    var index = 0
    while index < instructions.count {
      if instructions[index].helper != nil { found.append(index) }
      index += instructions[index].isWide ? 2 : 1
    }
    return found
  }
}
