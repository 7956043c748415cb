import BPFAssembly

/// Which register each value had best be in, so that few moves are needed.
///
/// Only wishes: whether the register is free is the allocator's question.
struct RegisterHints {
  /// The register that a call or exit wants the value in; nil for none.
  private(set) var wanted: [Register?]
  /// The operand that an instruction overwrites to make the value, or the value to be made of it; -1 for none.
  private(set) var source: [Int32]
  /// The parameter that the value is an argument for; -1 for none.
  private(set) var parameter: [Int32]
  /// By parameter, what the branch compares whose two edges bring the arguments: when it is in another register, one
  /// edge's arguments may be passed before the branch.
  private(set) var compared: [[VirtualRegister]]
  /// What must be in r0: what `compareExchange` expects.
  private(set) var pinned: [VirtualRegister] = []

  private static let arguments: [Register] = [.r1, .r2, .r3, .r4, .r5]

  init(_ function: MachineFunction) {
    wanted = Array(repeating: nil, count: function.registerCount)
    source = Array(repeating: -1, count: function.registerCount)
    parameter = Array(repeating: -1, count: function.registerCount)
    compared = Array(repeating: [], count: function.registerCount)
    // Backwards, so that of several wishes the first user's wins, and wishes travel from results to operands.
    for block in function.blocks.reversed() {
      look(at: block.terminator, in: function)
      for instruction in block.instructions.reversed() { look(at: instruction) }
    }
    for entry in function.entries where wanted[entry.result.index] == nil {
      wanted[entry.result.index] = entry.register
    }
  }

  private mutating func look(at terminator: MachineTerminator, in function: MachineFunction) {
    switch terminator {
    case .exit(.register(let register)): wanted[register.index] = .r0
    case .jump(let target, let arguments):
      for (argument, destination) in zip(arguments, function.blocks[target].parameters) {
        guard case .register(let register) = argument else { continue }
        parameter[register.index] = destination.number
        if let wish = wanted[destination.index] { wanted[register.index] = wish }
      }
    case .branch(_, let left, let right, let first, let second):
      let (one, other) = (function.blocks[first], function.blocks[second])
      guard one.isEdge, other.isEdge, case .jump(let target, _) = one.terminator,
        case .jump(target, _) = other.terminator
      else { return }
      for parameter in function.blocks[target].parameters {
        compared[parameter.index] = [left] + (right.register.map { [$0] } ?? [])
      }
    default: break
    }
  }

  private mutating func look(at instruction: MachineInstruction) {
    if let result = instruction.result { pass(result.index, to: instruction.operation) }
    switch instruction.operation {
    case .call(_, let arguments):
      for (argument, register) in zip(arguments, Self.arguments) {
        if case .register(let value) = argument { wanted[value.index] = register }
      }
      if let result = instruction.result { wanted[result.index] = wanted[result.index] ?? .r0 }
    case .compareExchange(_, _, _, let expected):
      wanted[expected.index] = .r0
      pinned.append(expected)
      if let result = instruction.result { wanted[result.index] = wanted[result.index] ?? .r0 }
    default: break
    }
  }

  private mutating func pass(_ result: Int, to operation: MachineOperation) {
    guard let operand = operation.tied?.index else { return }
    source[result] = Int32(operand)
    if let wish = wanted[result] { wanted[operand] = wish }
    if parameter[operand] < 0 { parameter[operand] = parameter[result] }
  }
}
