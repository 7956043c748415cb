/// A function as Lua 5.4 compiled it: what `string.dump` gives, as values.
///
/// ```swift
/// let prototype = try LuaPrototype(dump: bytes)
/// try prototype.check()
/// print(prototype.listing)
/// ```
public struct LuaPrototype: Sendable {
  /// A variable of an enclosing function.
  public struct Upvalue: Hashable, Sendable {
    /// Nil when the dump was stripped.
    public var name: String?
    /// Whether the enclosing function has it in register `index`; otherwise it is that function's upvalue `index`.
    public var inStack: Bool
    public var index: Int
    public var kind: Kind

    public enum Kind: UInt8, Sendable {
      case regular, constant, toBeClosed, compileTimeConstant
    }
  }

  /// A local variable and the instructions `startPC..<endPC` in which it is in scope.
  public struct Local: Hashable, Sendable {
    public var name: String
    public var startPC: Int
    public var endPC: Int
  }

  /// `@file`, `=name` or the text itself, as Lua has it; the enclosing function's where a dump leaves it out.
  public let source: String?
  /// What messages call the source.
  public let sourceName: String
  public let lineDefined: Int
  public let lastLineDefined: Int
  public let parameterCount: Int
  public let isVararg: Bool
  /// How many registers the function uses.
  public let maxStackSize: Int
  public let instructions: [LuaInstruction]
  public let constants: [LuaConstant]
  public let upvalues: [Upvalue]
  /// The functions that this one contains, by `closure`'s operand.
  public let prototypes: [LuaPrototype]
  /// The source line of each instruction; empty when the dump was stripped.
  public let lines: [Int32]
  /// In the order in which they come into scope.
  public let locals: [Local]

  public var upvalueNames: [String?] { upvalues.map(\.name) }

  /// The local variable that a register holds when instruction `pc` runs; nil for temporary values.
  public func localName(register: Int, at pc: Int) -> String? {
    // Variables in scope fill the registers from 0 on, without gaps, in the order of their birth (luaF_getlocalname).
    var before = register
    for local in locals {
      if local.startPC > pc { return nil }
      guard pc < local.endPC else { continue }
      if before == 0 { return local.name }
      before -= 1
    }
    return nil
  }

  /// The source line of an instruction; nil when the dump was stripped.
  public func line(at pc: Int) -> Int? {
    lines.indices.contains(pc) ? Int(lines[pc]) : nil
  }

  /// Where the function stands, `file:line` when the source is a file.
  public var place: String { "\(sourceName):\(lineDefined)" }

  /// The source without its mark; `[string]` for a text.
  static func name(of source: String?) -> String {
    guard let source else { return "?" }
    return source.hasPrefix("@") || source.hasPrefix("=") ? String(source.dropFirst()) : "[string]"
  }
}
