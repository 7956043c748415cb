/// A constant of a Lua function; strings are bytes, as Lua has them.
public enum LuaConstant: Hashable, Sendable {
  case `nil`
  case boolean(Bool)
  case integer(Int64)
  case float(Double)
  case string([UInt8])

  var isString: Bool {
    if case .string = self { true } else { false }
  }
}
