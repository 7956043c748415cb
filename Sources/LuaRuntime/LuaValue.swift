/// A Lua value, copied out of the state.
///
/// ```swift
/// try runtime.call(handler, [.integer(3), "three"])
/// ```
public enum LuaValue {
  case `nil`
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  /// Lua strings are bytes of any kind; `text` reads them as UTF-8.
  case string([UInt8])
  case table(LuaTable)
  case function(LuaFunction)
  /// A value that has no copy, by its Lua type name: `userdata`, `thread`.
  case other(String)

  /// A Lua string with the UTF-8 bytes of `text`.
  public static func text(_ text: String) -> LuaValue {
    .string(Array(text.utf8))
  }

  /// The text of a string; bytes that are not UTF-8 become U+FFFD. nil for other types.
  public var text: String? {
    guard case .string(let bytes) = self else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Lua's name of the type: `nil`, `number`, …
  public var typeName: String {
    switch self {
    case .nil: "nil"
    case .boolean: "boolean"
    case .integer, .number: "number"
    case .string: "string"
    case .table: "table"
    case .function: "function"
    case .other(let name): name
    }
  }
}

extension LuaValue: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) {
    self = .text(value)
  }
}

extension LuaValue: Equatable {
  /// Equal contents; functions are equal when they are the same handle, and `other` values never.
  public static func == (a: LuaValue, b: LuaValue) -> Bool {
    switch (a, b) {
    case (.nil, .nil): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.table(let a), .table(let b)): a == b
    case (.function(let a), .function(let b)): a === b
    default: false
    }
  }
}

/// A Lua table, copied deep: its list part and its fields with string keys. Metatables play no part.
public struct LuaTable: Equatable {
  /// The values at 1, 2, … up to the table's length.
  public var list: [LuaValue]
  public var fields: [String: LuaValue]
  /// How many keys are neither of the list nor strings; their values are left out.
  public var otherKeyCount: Int

  public init(list: [LuaValue] = [], fields: [String: LuaValue] = [:]) {
    self.list = list
    self.fields = fields
    otherKeyCount = 0
  }

  /// The value of a field; `.nil` when it is absent.
  public subscript(name: String) -> LuaValue {
    fields[name] ?? .nil
  }
}

/// A Lua function that the host keeps. While it lives, Lua's collector leaves the function alone.
///
/// Call it with ``LuaRuntime/call(_:_:)`` of the runtime it came from, on the thread that uses this runtime.
public final class LuaFunction {
  let state: LuaState
  let reference: Int32

  init(state: LuaState, reference: Int32) {
    self.state = state
    self.reference = reference
  }

  deinit {
    state.free(reference)
  }
}
