import LuaBytecode
import Support

// What each instruction does, those that end a block aside.
extension Frontend {
  mutating func run(_ i: LuaInstruction) throws(MoontraceError) {
    switch i.opcode {
    case .move: state.registers[i.a] = state.registers[i.b]
    case .loadI: state.registers[i.a] = .integer(Int64(i.sBx))
    case .loadF: state.registers[i.a] = .float(Double(i.sBx))
    case .loadK: state.registers[i.a] = constant(i.bx)
    case .loadKX: state.registers[i.a] = constant(code[pc + 1].ax)
    case .loadFalse, .lFalseSkip: state.registers[i.a] = .boolean(false)
    case .loadTrue: state.registers[i.a] = .boolean(true)
    case .loadNil: for register in i.a...i.a + i.b { state.registers[register] = .nil }
    case .getUpval: state.registers[i.a] = upvalue(i.b)
    case .setUpval: throw assignmentToUpvalue(i.b)
    case .getTabUp: state.registers[i.a] = try index(upvalue(i.b), constant(i.c), named: upvalueName(i.b))
    case .getTable: state.registers[i.a] = try index(state.registers[i.b], state.registers[i.c], named: variable(i.b))
    case .getI: state.registers[i.a] = try index(state.registers[i.b], .integer(Int64(i.c)), named: variable(i.b))
    case .getField: state.registers[i.a] = try index(state.registers[i.b], constant(i.c), named: variable(i.b))
    case .setTabUp: try assign(upvalue(i.a), constant(i.b), operand(i.c, i.k))
    case .setTable: try assign(state.registers[i.a], state.registers[i.b], operand(i.c, i.k))
    case .setI: try assign(state.registers[i.a], .integer(Int64(i.b)), operand(i.c, i.k))
    case .setField: try assign(state.registers[i.a], constant(i.b), operand(i.c, i.k))
    case .newTable: state.registers[i.a] = newObject(.table(Table()))
    case .`self`: try takeMethod(i)
    case .setList: try setList(i)
    case .call: try call(i)
    case .tailCall: try tailCall(i)
    case .return where i.b == 0: try leave(with: openValues(from: i.a), least: openLeast - i.a)
    case .return: try leave(with: registers(from: i.a, i.b - 1))
    case .return0: try leave(with: [])
    case .return1: try leave(with: [state.registers[i.a]])
    case .not: state.registers[i.a] = try not(state.registers[i.b])
    case .len: state.registers[i.a] = try length(state.registers[i.b], named: variable(i.b))
    case .concat: throw refusal("text can't be put together in a probe", "return the parts as fields, or use printf")
    case .closure: throw refusal("a function can't be made inside a probe", "define it outside, as a local function")
    case .vararg, .varargPrep: throw refusal("a probe can't use '...'", "name the parameters")
    case .tforPrep, .tforCall, .tforLoop:
      throw refusal("a probe can't use the generic for", "use a numeric for, or while")
    case .tbc, .close: if i.opcode == .tbc { throw refusal("a probe can't use <close> variables") }
    case .mmBin, .mmBinI, .mmBinK, .jmp, .extraArg: break
    default: try runArithmetic(i)
    }
  }

  /// A constant of the function as a value.
  func constant(_ index: Int) -> Value {
    switch constants[index] {
    case .nil: .nil
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .float(let value): .float(value)
    case .string(let bytes): .text(bytes)
    }
  }

  /// A register, or a constant where the instruction's `k` says so.
  func operand(_ index: Int, _ isConstant: Bool) -> Value {
    isConstant ? constant(index) : state.registers[index]
  }

  func upvalue(_ index: Int) -> Value {
    Value(host: host.upvalue(of: frame.function, at: index))
  }

  func upvalueName(_ index: Int) -> String {
    frame.prototype.upvalues[index].name.map { " (upvalue '\($0)')" } ?? ""
  }

  private func assignmentToUpvalue(_ index: Int) -> MoontraceError {
    let name = frame.prototype.upvalues[index].name ?? "?"
    return refusal(
      "a probe can't assign to '\(name)', a variable of the script",
      "keep it in the kernel: local g = global{ \(name) = 0 }, then g.\(name) = …")
  }

  /// Truth as a number, for `not`.
  mutating func not(_ value: Value) throws(MoontraceError) -> Value {
    switch try truth(of: value) {
    case .constant(let known): return .boolean(known == 0)
    case let operand: return .flag(builder.binary(.xor, operand, .constant(1)))
    }
  }

  /// The values from a register on that the last call left open.
  func openValues(from register: Int) -> [Value] {
    registers(from: register, openEnd - register)
  }

  func registers(from start: Int, _ count: Int) -> [Value] {
    Array(state.registers.dropFirst(start).prefix(max(0, count)))
  }

  // MARK: Returning

  private mutating func leave(with values: [Value], least: Int? = nil) throws(MoontraceError) {
    if frame.returns != nil {
      noteReturn(values, least: least, here)
    } else {
      if least == nil, values.count > 1 {
        throw refusal("a probe sends one value, and \(values.count) are returned here", "return { … } with all of them")
      }
      if let value = values.first { try sendReturned(value) }
      if isReachable { finishRun() }
    }
    isReachable = false
  }
}

extension Value {
  init(host: HostValue) {
    switch host {
    case .nil: self = .nil
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .float(let value): self = .float(value)
    case .string(let bytes): self = .text(bytes)
    case .library(let name): self = .builtin(name)
    default: self = .host(host)
    }
  }
}
