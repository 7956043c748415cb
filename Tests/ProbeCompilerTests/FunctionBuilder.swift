import BPFAssembly

@testable import ProbeCompiler

/// Writes an IR function block by block.
struct FunctionBuilder {
  private(set) var function = IRFunction()
  private var place: UInt32 = 0

  /// Begins a block; what follows goes there.
  @discardableResult mutating func block(parameters count: Int = 0, isCold: Bool = false) -> (BlockID, [ValueID]) {
    let parameters = (0..<count).map { _ in function.newValue() }
    function.blocks.append(IRBlock(parameters: parameters, isCold: isCold))
    return (current, parameters)
  }

  var current: BlockID { BlockID(number: Int32(function.blocks.count - 1)) }

  /// Adds an instruction with a result.
  mutating func value(_ operation: IROperation) -> ValueID {
    let result = function.newValue()
    add(operation, result)
    return result
  }

  mutating func add(_ operation: IROperation, _ result: ValueID? = nil) {
    function.blocks[current.index].instructions.append(IRInstruction(result: result, operation: operation))
  }

  mutating func end(_ terminator: IRTerminator) { end(current, terminator) }

  mutating func end(_ block: BlockID, _ terminator: IRTerminator) {
    function.blocks[block.index].terminator = terminator
  }
}
