/// A call by which a program sends a record: which instruction loads the buffer, and how many bytes are sent where the
/// code says so as a constant.
public struct OutputCall: Equatable, Sendable {
  /// The index of the `ld_imm64` that gives the buffer to the call.
  public var buffer: Int
  /// Bytes of the record; nil when they are computed.
  public var size: Int?

  public init(buffer: Int, size: Int?) {
    self.buffer = buffer
    self.size = size
  }

  /// The calls among a section's instructions whose buffer can be told.
  ///
  /// What a register holds is looked for from the call upwards, as far as nothing else can have set it: to the next
  /// call, jump or jump's target. Compilers load arguments right before a call, so that is far enough.
  public static func all(in instructions: [Instruction]) -> [OutputCall] {
    let targets = jumpTargets(in: instructions)
    return Instruction.indices(ofCallsIn: instructions).compactMap { index in
      guard let registers = registers(of: instructions[index].helper ?? 0) else { return nil }
      let block = BasicBlock(instructions: instructions, targets: targets, end: index)
      guard let buffer = block.load(into: registers.buffer) else { return nil }
      return OutputCall(buffer: buffer, size: block.constant(in: registers.size))
    }
  }

  /// The arguments that are the buffer and the size (bpf-helpers(7)).
  private static func registers(of helper: Int32) -> (buffer: UInt8, size: UInt8)? {
    switch Helper(rawValue: helper) {
    case .ringbufReserve: (1, 2)
    case .ringbufOutput: (1, 3)
    case .perfEventOutput, .skbOutput, .xdpOutput: (2, 5)
    default: nil
    }
  }

  private static func jumpTargets(in instructions: [Instruction]) -> Set<Int> {
    var targets: Set<Int> = []
    for (index, instruction) in instructions.enumerated() where instruction.isJump {
      targets.insert(index + 1 + Int(instruction.offset))
    }
    return targets
  }
}

/// The instructions above a call that run whenever it does.
private struct BasicBlock {
  let instructions: [Instruction]
  let targets: Set<Int>
  let end: Int

  /// The index of what set a register last.
  private func definition(of register: UInt8) -> Int? {
    var index = end
    while index > 0, !targets.contains(index) {
      index -= 1
      let instruction = instructions[index]
      // The second half of a ld_imm64 has code 0 and sets nothing by itself.
      if instruction.code == 0 { continue }
      if instruction.isJump || instruction.code == Opcode.call { return nil }
      if instruction.setsDestination, instruction.destination == register { return index }
    }
    return nil
  }

  func load(into register: UInt8) -> Int? {
    definition(of: register).flatMap { instructions[$0].isWide ? $0 : nil }
  }

  func constant(in register: UInt8) -> Int? {
    guard let index = definition(of: register), instructions[index].isConstantMove else { return nil }
    return instructions[index].immediate > 0 ? Int(instructions[index].immediate) : nil
  }
}

extension Instruction {
  private var kind: UInt8 { code & Opcode.Class.mask }

  /// A jump, conditional or not, or the end of the program; no call.
  fileprivate var isJump: Bool { [Opcode.Class.jump64, Opcode.Class.jump32].contains(kind) && code != Opcode.call }

  /// Loads and arithmetic set their destination, stores do not.
  fileprivate var setsDestination: Bool {
    [Opcode.Class.load, Opcode.Class.loadRegister, Opcode.Class.alu32, Opcode.Class.alu64].contains(kind)
  }

  /// `rN = IMMEDIATE`, of 32 or 64 bits.
  fileprivate var isConstantMove: Bool { code == 0xb7 || code == 0xb4 }
}
