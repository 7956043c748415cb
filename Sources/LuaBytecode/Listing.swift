extension LuaPrototype {
  /// The metamethods in the order of ltm.h, as operators' fallbacks name them.
  static let events = [
    "__index", "__newindex", "__gc", "__mode", "__len", "__eq", "__add", "__sub", "__mul", "__mod", "__pow", "__div",
    "__idiv", "__band", "__bor", "__bxor", "__shl", "__shr", "__unm", "__bnot", "__lt", "__le", "__concat", "__call",
    "__close",
  ]

  /// The instructions as `luac -l` prints them, a line each, for this function and then those in it.
  public var listing: String {
    let title = "function <\(sourceName):\(lineDefined),\(lastLineDefined)> (\(instructions.count) instructions)\n"
    let own = instructions.indices.map { listing(at: $0) + "\n" }.joined()
    return title + own + prototypes.map { "\n" + $0.listing }.joined()
  }

  /// One instruction: number from 1, line, opcode, operands, comment.
  public func listing(at pc: Int) -> String {
    let instruction = instructions[pc]
    let text = InstructionListing(prototype: self, pc: pc, instruction: instruction)
    let line = self.line(at: pc).map(String.init) ?? "-"
    let name = instruction.opcode.name
    let padded = name + String(repeating: " ", count: max(0, 9 - name.count))
    let comment = text.comment.map { "\t; \($0)" } ?? ""
    return "\t\(pc + 1)\t[\(line)]\t\(padded)\t\(text.operands)\(comment)"
  }
}
