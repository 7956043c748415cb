/// Writes instructions as the kernel's verifier log and `bpftool prog dump xlated` do (kernel/bpf/disasm.c).
///
/// ```swift
/// for line in Disassembler.lines(of: program.instructions) { print(line) }
/// ```
public enum Disassembler {
  /// One instruction of a listing.
  public struct Line: Hashable, Sendable, CustomStringConvertible {
    /// The instruction's (first) slot.
    public var index: Int
    public var text: String
    /// The slot that a jump, a call of a subprogram or a subprogram's address leads to.
    public var target: Int?

    /// `   3: if r1 == 0x0 goto pc+3 <7>`
    public var description: String {
      let number = String(index)
      let margin = String(repeating: " ", count: max(0, 4 - number.count))
      return "\(margin)\(number): \(text)\(target.map { " <\($0)>" } ?? "")"
    }
  }

  /// Lists a program, a line for each instruction.
  ///
  /// - Parameter mapName: the text that stands for a map's descriptor or, before
  ///   `AssembledProgram.resolving(_:)`, its number.
  public static func lines(
    of instructions: [Instruction], mapName: (Int32) -> String = { String($0) }
  ) -> [Line] {
    var lines: [Line] = []
    var index = 0
    while index < instructions.count {
      let instruction = instructions[index]
      let second = instruction.isWide && index + 1 < instructions.count ? instructions[index + 1] : nil
      let target = instruction.distance.map { index + 1 + $0 }
      lines.append(Line(index: index, text: text(of: instruction, second, mapName), target: target))
      index += second == nil ? 1 : 2
    }
    return lines
  }

  /// The text of one instruction.
  ///
  /// - Parameter second: the second slot of a wide one.
  public static func text(
    of instruction: Instruction, _ second: Instruction? = nil, _ mapName: (Int32) -> String = { String($0) }
  ) -> String {
    let text: String? =
      switch instruction.code & Opcode.Class.mask {
      case Opcode.Class.alu32, Opcode.Class.alu64: instruction.arithmeticText
      case Opcode.Class.jump32, Opcode.Class.jump64: instruction.jumpText
      case Opcode.Class.load: instruction.isWide ? instruction.wideText(second, mapName) : instruction.packetText
      default: instruction.memoryText
      }
    return text ?? "unknown instruction 0x\(String(instruction.code, radix: 16))"
  }
}

extension AssembledProgram {
  /// Lists the program with its maps as their numbers, or as what `mapName` calls them.
  public func lines(mapName: (MapReference) -> String = { String($0.id) }) -> [Disassembler.Line] {
    Disassembler.lines(of: resolving { Int32(truncatingIfNeeded: $0.id) }) { mapName(MapReference(id: Int($0))) }
  }
}
