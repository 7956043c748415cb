import Support

extension LuaPrototype {
  /// Proves, for this function and those in it, that registers, constants, upvalues, functions and jump targets that
  /// instructions name exist, and that no instruction is the last one but a return.
  ///
  /// - Throws: `.scriptFailed` naming the function and the instruction; only broken or forged bytecode fails.
  public func check() throws(MoontraceError) {
    guard parameterCount <= maxStackSize else {
      throw broken("\(parameterCount) parameters do not fit into \(maxStackSize) registers")
    }
    guard let last = instructions.last, [.return, .return0, .return1].contains(last.opcode) else {
      throw broken("it does not end with a return")
    }
    for (pc, instruction) in instructions.enumerated() {
      if let problem = OperandCheck(prototype: self, pc: pc, instruction: instruction).problem {
        throw broken("instruction \(pc + 1), \(instruction.opcode.name): \(problem)")
      }
    }
    for prototype in prototypes { try check(upvaluesOf: prototype) }
    for prototype in prototypes { try prototype.check() }
  }

  private func check(upvaluesOf inner: LuaPrototype) throws(MoontraceError) {
    for (number, upvalue) in inner.upvalues.enumerated() {
      let limit = upvalue.inStack ? maxStackSize : upvalues.count
      guard upvalue.index < limit else {
        let what = upvalue.inStack ? "register" : "upvalue"
        throw inner.broken("upvalue \(number) is \(what) \(upvalue.index) of a function that has \(limit)")
      }
    }
  }

  private func broken(_ reason: String) -> MoontraceError {
    MoontraceError(
      .scriptFailed, "the bytecode of the function is broken: \(reason)",
      remedy: "give it what string.dump of Lua 5.4 makes", location: place)
  }
}
