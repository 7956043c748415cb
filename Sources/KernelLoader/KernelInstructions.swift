import BPFAssembly
import CLibbpf

extension Instruction {
  /// The instructions of a buffer that libbpf or the kernel gives as `struct bpf_insn`.
  static func array(_ pointer: UnsafePointer<bpf_insn>?, count: Int) -> [Instruction] {
    guard let pointer else { return [] }
    let bytes = UnsafeRawBufferPointer(start: pointer, count: count * 8)
    return (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Instruction.self) }
  }
}
