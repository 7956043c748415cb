import BPFAssembly

/// What a Lua value is known to be while a probe is compiled.
///
/// Constants, tables and references exist in the compiler only; the rest is made of operands, which hold the value
/// when the probe runs. Large and rare cases are indirect, so that the others need no memory of their own.
enum Value: Equatable {
  case `nil`
  case boolean(Bool)
  case integer(Int64)
  /// Lua has it, probes don't: any use is refused.
  case float(Double)
  case text([UInt8])
  /// A number in a register.
  case number(IROperand)
  /// A boolean in a register: 1 or 0.
  case flag(IROperand)
  indirect case string(StringMemory)
  /// Something with an identity: a table that the probe made, or what a map holds for a key.
  case object(ObjectID)
  indirect case pointer(Pointer)
  /// Words that get a name in the user half: `kstack`, `ksym(a)`.
  indirect case named(DataType.Naming, [IROperand])
  /// One of several kinds; which one is known when the probe runs.
  indirect case choice(Choice)
  /// A value of the script: a map, a stream, a table of constants, a function.
  case host(HostValue)
  /// A function or table that exists in probes only: `str`, `math.min`.
  case builtin(String)
  /// A method and what it was taken from: `m:clear`, `s:emit`.
  indirect case method(of: Value, String)
  /// An aggregate's element for a key: `agg[key]`.
  case aggregateElement(Int, [Value])
  /// `args`: what the probe's place hands over, by name.
  case arguments
  /// Of different kinds on different ways to here; using it is refused.
  indirect case mixed(String, String)

  /// Which of several kinds a value is.
  struct Choice: Equatable {
    var tag: IROperand
    /// By kind, ascending, each kind once.
    var alternatives: [Value]
  }
}

/// Text in memory: up to the first NUL, or all of it.
struct StringMemory: Equatable {
  var base: IROperand
  var offset: Int32 = 0
  /// Bytes of text that there is room for, a multiple of 8.
  var capacity: Int32
  /// The text's length stands in 8 bytes before it, so that any of its bytes may be 0; it is padded then.
  var isCounted = false
  /// The bytes behind the text are zero.
  var isPadded = false
  /// A slot of its own, written as a whole wherever this value exists: it may lie inside of what it is stored in.
  var isWhole = false
  /// The bytes of a fixed array, of which any may be 0.
  var count: Int32?
  /// Where in the probe's context the same bytes stand, when they can be loaded from there.
  var contextOffset: Int32?
  /// The map whose memory this is, which others may change at any time.
  var map: Int?

  /// Bytes that it takes with its length.
  var size: Int32 { isCounted ? 8 + capacity : capacity }

  /// The same text as it stands in memory, without its length.
  var content: StringMemory {
    guard isCounted else { return self }
    return StringMemory(base: base, offset: offset + 8, capacity: capacity, isPadded: true)
  }

  /// How it lies in events and maps.
  var type: DataType { isCounted ? .bytes(capacity: capacity) : .string(capacity: capacity) }
}

/// An address with what it leads to.
struct Pointer: Equatable {
  var address: IROperand
  var target: PointerTarget
}

/// The kinds that a choice tells apart. The raw value is its tag: 0 for nil and one bit for each other kind, so that
/// tags can be made and stored without branches.
enum Kind: Int64, Comparable {
  case `nil` = 0
  case boolean = 1
  case integer = 2
  case string = 4
  case pointer = 8
  case named = 16
  case object = 32

  static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }

  /// Where the tag's bit is.
  var shift: Int64 { Int64(rawValue.trailingZeroBitCount) }
}

extension Value {
  /// The kind in a choice; nil for values that only the compiler knows.
  var kind: Kind? {
    switch self {
    case .nil: .nil
    case .boolean, .flag: .boolean
    case .integer, .number: .integer
    case .text, .string: .string
    case .pointer: .pointer
    case .named: .named
    case .object: .object
    default: nil
    }
  }

  /// The value's kinds, each as a value of its own.
  var alternatives: [Value] {
    if case .choice(let choice) = self { choice.alternatives } else { [self] }
  }

  /// What Lua calls it in messages.
  var typeName: String {
    switch self {
    case .nil: "nil"
    case .boolean, .flag: "boolean"
    case .integer, .number, .float: "number"
    case .text, .string: "string"
    case .object: "table"
    case .pointer: "pointer"
    case .named(let naming, _): naming.typeName
    case .choice(let choice): choice.alternatives.map(\.typeName).joined(separator: " or ")
    case .host(let value): value.typeName
    case .builtin, .method: "function"
    case .aggregateElement: "aggregate"
    case .arguments: "args"
    case .mixed(let one, let other): "\(one) or \(other)"
    }
  }

  /// The same with its article: "an aggregate".
  var phrase: String { (typeName.hasPrefix("a") ? "an " : "a ") + typeName }

  /// How probes use it, for what was done wrong with it; nil where that says nothing new.
  var use: String? {
    switch self {
    case .host(.aggregate), .aggregateElement:
      "a:add(v) or a[key]:add(v); what it holds is read in the user half"
    case .host(.stream): "s:emit{ … }"
    case .host(.tableWithMetatable): "it has a metatable, which probes can't run: a table without one"
    default: nil
    }
  }

  /// A number as an operand; nil for everything else.
  var number: IROperand? {
    switch self {
    case .integer(let value): .constant(value)
    case .number(let operand): operand
    default: nil
    }
  }

  /// A boolean as an operand; nil for everything else.
  var flag: IROperand? {
    switch self {
    case .boolean(let value): .constant(value ? 1 : 0)
    case .flag(let operand): operand
    default: nil
    }
  }

}

extension DataType.Naming {
  var typeName: String {
    switch self {
    case .kernelSymbol, .userSymbol: "symbol"
    case .kernelStack, .userStack: "stack"
    case .address4, .address6, .address: "network address"
    }
  }
}
