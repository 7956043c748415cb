import BPFAssembly
import LuaBytecode
import Support

// Integer arithmetic, exactly Lua's.
extension Frontend {
  mutating func runArithmetic(_ i: LuaInstruction) throws(MoontraceError) {
    let (left, right) = arithmeticOperands(i)
    guard let operation = LuaOperation(i.opcode) else { throw refusal("a probe can't use '\(i.opcode.name)'") }
    if i.opcode == .unm || i.opcode == .bnot {
      state.registers[i.a] = try unary(operation, left, named: variable(i.b))
    } else {
      state.registers[i.a] = try binary(operation, left, right, i)
    }
  }

  private func arithmeticOperands(_ i: LuaInstruction) -> (Value, Value) {
    switch i.opcode {
    case .addI: (state.registers[i.b], .integer(Int64(i.sC)))
    case .shrI: (state.registers[i.b], .integer(Int64(i.sC)))
    case .shlI: (.integer(Int64(i.sC)), state.registers[i.b])
    case .addK, .subK, .mulK, .modK, .powK, .divK, .idivK, .bandK, .borK, .bxorK:
      (state.registers[i.b], constant(i.c))
    case .unm, .bnot: (state.registers[i.b], .nil)
    default: (state.registers[i.b], state.registers[i.c])
    }
  }

  private mutating func unary(
    _ operation: LuaOperation, _ value: Value, named name: String
  ) throws(MoontraceError) -> Value {
    let operand = try number(value, operation, named: name)
    guard isReachable else { return .nil }
    return .number(
      operation == .negate ? builder.negate(operand) : builder.binary(.xor, operand, .constant(-1)))
  }

  private mutating func binary(
    _ operation: LuaOperation, _ left: Value, _ right: Value, _ i: LuaInstruction
  ) throws(MoontraceError) -> Value {
    if operation == .divide || operation == .power {
      throw refusal("'\(operation.symbol)' gives a float, which a probe can't hold", operation.remedy)
    }
    let a = try number(left, operation, named: variable(i.b))
    let b = try number(right, operation, named: i.opcode.rawValue >= LuaOpcode.add.rawValue ? variable(i.c) : "")
    guard isReachable else { return .nil }
    let number = try result(operation, a, b)
    noteSum(operation, a, b, number)
    return .number(number)
  }

  mutating func result(
    _ operation: LuaOperation, _ a: IROperand, _ b: IROperand
  ) throws(MoontraceError) -> IROperand {
    switch operation {
    case .add: return builder.binary(.add, a, b)
    case .subtract: return builder.binary(.sub, a, b)
    case .multiply: return builder.binary(.mul, a, b)
    case .and: return builder.binary(.and, a, b)
    case .or: return builder.binary(.or, a, b)
    case .xor: return builder.binary(.xor, a, b)
    case .floorDivide: return try floorDivision(a, b, wantsRemainder: false)
    case .modulo: return try floorDivision(a, b, wantsRemainder: true)
    case .shiftLeft: return shift(a, by: b)
    case .shiftRight: return shift(a, by: builder.negate(b))
    case .divide, .power, .negate, .complement: return .constant(0)
    }
  }

  /// What has to be a number here; ends the run, or refuses, when it is none.
  mutating func number(
    _ value: Value, _ operation: LuaOperation, named name: String
  ) throws(MoontraceError) -> IROperand {
    let what = operation.isBitwise ? "perform bitwise operation on" : "perform arithmetic on"
    return try number(value, orElse: { "attempt to \(what) a \($0) value\(name)" })
  }

  mutating func number(
    _ value: Value, orElse message: (String) -> String
  ) throws(MoontraceError) -> IROperand {
    let value = try decided(value)
    if let number = value.number { return number }
    switch value {
    case .pointer(let pointer): return pointer.address
    case .float:
      throw refusal("floats can't be used in a probe", "use integers")
    case .choice(let choice):
      guard !choice.alternatives.contains(where: \.mayReadAsNumber) else { throw textAsNumber }
      let rest = choice.alternatives.first { $0.kind != .integer && $0.kind != .pointer }
      guard let number = choice.alternatives.first(where: { $0.kind == .integer || $0.kind == .pointer }) else { break }
      let kind = number.kind ?? .integer
      let text = message(rest?.typeName ?? "nil")
      try unless(.eq, choice.tag, .constant(kind.rawValue)) { frontend throws(MoontraceError) in frontend.fail(text) }
      return number.number ?? number.address ?? .constant(0)
    default: break
    }
    if value.mayReadAsNumber { throw textAsNumber }
    guard !value.alternatives.contains(where: { $0.kind == nil }) else { throw refusal(message(value.typeName)) }
    fail(message(value.alternatives.first?.typeName ?? "nil"))
    return .constant(0)
  }

  private var textAsNumber: MoontraceError {
    refusal("a probe can't calculate with text, which may read as a number")
  }

  // MARK: Division

  /// Division towards minus infinity. The kernel's is unsigned, so magnitudes are divided: for a divisor above 0 the
  /// complement of the quotient of the complement is the floor of a negative dividend's quotient.
  private mutating func floorDivision(
    _ a: IROperand, _ b: IROperand, wantsRemainder: Bool
  ) throws(MoontraceError) -> IROperand {
    let message = wantsRemainder ? "attempt to perform 'n%%0'" : "attempt to perform 'n//0'"
    if case .constant(let divisor) = b {
      if divisor == 0 {
        fail(message)
        return .constant(0)
      }
      if case .constant(let dividend) = a { return .constant(floorConstant(dividend, divisor, wantsRemainder)) }
      if divisor > 0 { return dividePositive(a, divisor, wantsRemainder: wantsRemainder) }
    } else {
      try unless(.ne, b, .constant(0)) { frontend throws(MoontraceError) in frontend.fail(message) }
    }
    // a // b == -a // -b, and both have the same remainder up to its sign.
    let sign = builder.binary(.arsh, b, .constant(63))
    let divisor = builder.binary(.sub, builder.binary(.xor, b, sign), sign)
    let dividend = builder.binary(.sub, builder.binary(.xor, a, sign), sign)
    // -a of the smallest integer is itself; as a dividend it is right for b > 0, and for b < 0 it stands for 2^63.
    return wrapped(dividend, divisor, a, b, sign, wantsRemainder)
  }

  private mutating func wrapped(
    _ dividend: IROperand, _ divisor: IROperand, _ a: IROperand, _ b: IROperand, _ sign: IROperand,
    _ wantsRemainder: Bool
  ) -> IROperand {
    let isSmallest = builder.compare(.eq, a, .constant(.min))
    let overflows = builder.binary(.and, isSmallest, builder.binary(.and, sign, .constant(1)))
    // The dividend's sign, except where -a wrapped: there it is 2^63, which is positive.
    let negative = builder.binary(.arsh, dividend, .constant(63))
    let mask = builder.binary(.and, negative, builder.binary(.sub, overflows, .constant(1)))
    let magnitude = builder.binary(.xor, dividend, mask)
    let quotient = builder.binary(.xor, builder.binary(.div, magnitude, divisor), mask)
    guard wantsRemainder else { return quotient }
    return builder.binary(.sub, a, builder.binary(.mul, quotient, b))
  }

  private mutating func dividePositive(_ a: IROperand, _ divisor: Int64, wantsRemainder: Bool) -> IROperand {
    if divisor & (divisor - 1) == 0 {
      let shift = Int64(divisor.trailingZeroBitCount)
      return wantsRemainder
        ? builder.binary(.and, a, .constant(divisor - 1)) : builder.binary(.arsh, a, .constant(shift))
    }
    let mask = builder.binary(.arsh, a, .constant(63))
    let quotient = builder.binary(
      .xor, builder.binary(.div, builder.binary(.xor, a, mask), .constant(divisor)), mask)
    guard wantsRemainder else { return quotient }
    return builder.binary(.sub, a, builder.binary(.mul, quotient, .constant(divisor)))
  }

  private func floorConstant(_ a: Int64, _ b: Int64, _ wantsRemainder: Bool) -> Int64 {
    if b == -1 { return wantsRemainder ? 0 : 0 &- a }
    let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
    let isRounded = remainder != 0 && (remainder < 0) != (b < 0)
    if wantsRemainder { return isRounded ? remainder + b : remainder }
    return isRounded ? quotient - 1 : quotient
  }

  // MARK: Shifts

  /// Left by a positive count, right by a negative one; 64 and more give 0.
  private mutating func shift(_ value: IROperand, by count: IROperand) -> IROperand {
    if case .constant(let count) = count {
      if count <= -64 || count >= 64 { return .constant(0) }
      return count >= 0
        ? builder.binary(.lsh, value, .constant(count)) : builder.binary(.rsh, value, .constant(-count))
    }
    let right = builder.negate(count)
    let low = builder.binary(.and, count, .constant(63))
    let lowRight = builder.binary(.and, right, .constant(63))
    let left = select(.lt, count, .constant(64), builder.binary(.lsh, value, low), .constant(0))
    let other = select(.lt, right, .constant(64), builder.binary(.rsh, value, lowRight), .constant(0))
    return select(.sge, count, .constant(0), left, other)
  }
}

extension Value {
  /// Whether it is text that Lua would take for a number in arithmetic.
  fileprivate var mayReadAsNumber: Bool {
    switch self {
    case .string: true
    case .text(let bytes): bytes.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    default: false
    }
  }
}

/// The arithmetic of Lua.
enum LuaOperation {
  case add, subtract, multiply, modulo, power, divide, floorDivide
  case and, or, xor, shiftLeft, shiftRight
  case negate, complement

  init?(_ opcode: LuaOpcode) {
    switch opcode {
    case .addI, .addK, .add: self = .add
    case .subK, .sub: self = .subtract
    case .mulK, .mul: self = .multiply
    case .modK, .mod: self = .modulo
    case .powK, .pow: self = .power
    case .divK, .div: self = .divide
    case .idivK, .idiv: self = .floorDivide
    case .bandK, .band: self = .and
    case .borK, .bor: self = .or
    case .bxorK, .bxor: self = .xor
    case .shlI, .shl: self = .shiftLeft
    case .shrI, .shr: self = .shiftRight
    case .unm: self = .negate
    case .bnot: self = .complement
    default: return nil
    }
  }

  var symbol: String { self == .power ? "^" : "/" }
  var remedy: String { self == .power ? "multiply, or shift: 1 << n" : "use //" }

  var isBitwise: Bool {
    switch self {
    case .and, .or, .xor, .shiftLeft, .shiftRight, .complement: true
    default: false
    }
  }
}
