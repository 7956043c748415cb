import Support

extension LuaPrototype {
  /// How deep functions may stand in one another: Lua's own compiler allows 200 levels (LUAI_MAXCCALLS).
  static let deepest = 200

  /// Reads what `string.dump(f)` gives, stripped or not; `check()` then proves its operands.
  ///
  /// - Throws: `.unsupported` for bytecode of another Lua; `.scriptFailed` naming the byte where it is broken.
  public init(dump: [UInt8]) throws(MoontraceError) {
    var reader = DumpReader(dump)
    try Self.readHeader(&reader)
    let start = reader.offset
    let upvalueCount: UInt8 = try reader.integer(of: "the number of upvalues")
    let prototype = try LuaPrototype(&reader, enclosing: nil, depth: 1)
    guard prototype.upvalues.count == Int(upvalueCount) else {
      throw reader.failure(
        "the header tells \(upvalueCount) upvalues, the function has \(prototype.upvalues.count)", at: start)
    }
    guard reader.remaining == 0 else { throw reader.failure("\(reader.remaining) bytes follow the function") }
    self = prototype
  }

  /// Everything in the header of Lua 5.4 on a 64-bit little-endian machine is fixed: signature, version, format,
  /// conversion check, the sizes of instruction, integer and float, and 0x5678 and 370.5 in that form.
  private static let header: [UInt8] =
    [0x1b, 0x4c, 0x75, 0x61, 0x54, 0, 0x19, 0x93, 0x0d, 0x0a, 0x1a, 0x0a, 4, 8, 8]
    + [0x78, 0x56, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0x28, 0x77, 0x40]

  private static func readHeader(_ reader: inout DumpReader) throws(MoontraceError) {
    for expected in header {
      let start = reader.offset
      let byte: UInt8 = try reader.integer(of: "the header")
      if byte == expected { continue }
      if start < 4 { throw reader.failure("it does not begin as Lua bytecode does", at: start) }
      throw MoontraceError(
        .unsupported, "Lua bytecode, byte \(start): it is of another Lua than 5.4 on this kind of machine",
        remedy: "give it what string.dump of Lua 5.4 makes")
    }
  }

  private init(_ reader: inout DumpReader, enclosing: String?, depth: Int) throws(MoontraceError) {
    guard depth <= Self.deepest else { throw reader.failure("functions stand in one another \(depth) deep") }
    source = try reader.text("the source's name") ?? enclosing
    sourceName = Self.name(of: source)
    lineDefined = try reader.number("the function's first line")
    lastLineDefined = try reader.number("the function's last line")
    parameterCount = Int(try reader.integer(of: "the number of parameters", UInt8.self))
    isVararg = try reader.flag("the vararg mark")
    maxStackSize = Int(try reader.integer(of: "the stack size", UInt8.self))
    instructions = try Self.readInstructions(&reader)
    constants = try Self.readConstants(&reader)
    let variables = try Self.readUpvalues(&reader)
    var prototypes: [LuaPrototype] = []
    for _ in 0..<(try reader.count(of: "functions", size: Self.smallest)) {
      prototypes.append(try LuaPrototype(&reader, enclosing: source, depth: depth + 1))
    }
    self.prototypes = prototypes
    lines = try Self.readLines(&reader, first: lineDefined, count: instructions.count)
    locals = try Self.readLocals(&reader)
    upvalues = try Self.readNames(of: variables, &reader)
  }

  /// The bytes of a function that has nothing.
  private static let smallest = 14

  private static func readInstructions(_ reader: inout DumpReader) throws(MoontraceError) -> [LuaInstruction] {
    let count = try reader.count(of: "instructions", size: 4)
    var instructions: [LuaInstruction] = []
    instructions.reserveCapacity(count)
    for _ in 0..<count {
      let start = reader.offset
      let word: UInt32 = try reader.integer(of: "an instruction")
      guard let instruction = LuaInstruction(rawValue: word) else {
        throw reader.failure("opcode \(word & 0x7f) is none of Lua 5.4's", at: start)
      }
      instructions.append(instruction)
    }
    return instructions
  }

  private static func readConstants(_ reader: inout DumpReader) throws(MoontraceError) -> [LuaConstant] {
    var constants: [LuaConstant] = []
    for _ in 0..<(try reader.count(of: "constants", size: 1)) { constants.append(try readConstant(&reader)) }
    return constants
  }

  /// A constant begins with its type and variant (lobject.h).
  private static func readConstant(_ reader: inout DumpReader) throws(MoontraceError) -> LuaConstant {
    let start = reader.offset
    let type: UInt8 = try reader.integer(of: "a constant's type")
    switch type {
    case 0x00: return .nil
    case 0x01: return .boolean(false)
    case 0x11: return .boolean(true)
    case 0x03: return .integer(try reader.integer(of: "an integer"))
    case 0x13: return .float(Double(bitPattern: try reader.integer(of: "a float")))
    case 0x04, 0x14:
      guard let bytes = try reader.string("a string") else { throw reader.failure("a string is missing", at: start) }
      return .string(Array(bytes))
    default: throw reader.failure("constants have no type \(type)", at: start)
    }
  }

  private static func readUpvalues(_ reader: inout DumpReader) throws(MoontraceError) -> [Upvalue] {
    var upvalues: [Upvalue] = []
    for _ in 0..<(try reader.count(of: "upvalues", size: 3)) {
      let inStack = try reader.flag("an upvalue's place")
      let index = Int(try reader.integer(of: "an upvalue's index", UInt8.self))
      let start = reader.offset
      let number: UInt8 = try reader.integer(of: "an upvalue's kind")
      guard let kind = Upvalue.Kind(rawValue: number) else {
        throw reader.failure("upvalues have no kind \(number)", at: start)
      }
      upvalues.append(Upvalue(name: nil, inStack: inStack, index: index, kind: kind))
    }
    return upvalues
  }

  private static func readLocals(_ reader: inout DumpReader) throws(MoontraceError) -> [Local] {
    var locals: [Local] = []
    for _ in 0..<(try reader.count(of: "local variables", size: 3)) {
      let name = try reader.text("a variable's name") ?? "?"
      let start = try reader.number("a variable's first instruction")
      locals.append(Local(name: name, startPC: start, endPC: try reader.number("a variable's last instruction")))
    }
    return locals
  }

  private static func readNames(
    of upvalues: [Upvalue], _ reader: inout DumpReader
  ) throws(MoontraceError) -> [Upvalue] {
    var named = upvalues
    let start = reader.offset
    let count = try reader.count(of: "upvalue names", size: 1)
    guard count <= upvalues.count else {
      throw reader.failure("\(count) names for \(upvalues.count) upvalues", at: start)
    }
    for index in 0..<count { named[index].name = try reader.text("an upvalue's name") }
    return named
  }
}
