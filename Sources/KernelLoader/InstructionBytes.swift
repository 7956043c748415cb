import BPFAssembly

extension Instruction {
  /// A program's end with a result: `r0 = value; exit`.
  static func returning(_ value: Int32) -> [Instruction] {
    [Instruction(code: 0xb7, immediate: value), Instruction(code: 0x95)]
  }

  /// The instructions as a section holds them.
  static func bytes(_ instructions: [Instruction]) -> [UInt8] {
    instructions.withUnsafeBytes { Array($0) }
  }
}
