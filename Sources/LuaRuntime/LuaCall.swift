import CLua
import CLuaBridge
import Support

/// What a host function gives back to Lua.
///
/// A body usually returns an array literal: `return [.integer(3)]`, or `return []` for nothing.
public enum LuaResults: ExpressibleByArrayLiteral {
  case values([LuaValue])
  /// That many values already lie on top of the stack of ``LuaCall/lua``, put there by functions of CLuaBridge such as
  /// `mt_lua_push_map`.
  case pushed(Int)

  public init(arrayLiteral elements: LuaValue...) {
    self = .values(elements)
  }
}

/// One call of a host function: its arguments, counted from 1, while it runs.
///
/// An argument of the wrong type throws the error that Lua's own functions give, such as
/// `bad argument #2 to 'every' (a function expected, got nil)`.
///
/// ```swift
/// runtime.define("after") { call throws(MoontraceError) in
///   timers.add(seconds: try call.number(1), try call.function(2))
///   return []
/// }
/// ```
public struct LuaCall: ~Copyable {
  /// The name that the function was defined by.
  public let name: String
  /// How many arguments there are; trailing nils count.
  public let count: Int
  /// The `lua_State` of the calling coroutine, for functions of CLuaBridge. Call nothing on it that may raise.
  public let lua: OpaquePointer
  let state: LuaState

  private var stack: LuaStack { LuaStack(lua: lua, state: state) }

  /// Lua's name for the type of an argument; `no value` beyond the last one.
  public func typeName(_ position: Int) -> String {
    position > count ? "no value" : stack.typeName(at: Int32(position))
  }

  /// Whether the argument is absent or nil.
  public func isNil(_ position: Int) -> Bool {
    position > count || lua_type(lua, Int32(position)) == LUA_TNIL
  }

  public func boolean(_ position: Int) throws(MoontraceError) -> Bool {
    try expect(LUA_TBOOLEAN, position, "a boolean")
    return lua_toboolean(lua, Int32(position)) != 0
  }

  /// An integer, or a float without a fraction.
  public func integer(_ position: Int) throws(MoontraceError) -> Int64 {
    try expect(LUA_TNUMBER, position, "an integer")
    var isInteger: Int32 = 0
    let value = lua_tointegerx(lua, Int32(position), &isInteger)
    guard isInteger != 0 else { throw badArgument(position, "number has no integer representation") }
    return value
  }

  public func number(_ position: Int) throws(MoontraceError) -> Double {
    try expect(LUA_TNUMBER, position, "a number")
    return lua_tonumberx(lua, Int32(position), nil)
  }

  public func string(_ position: Int) throws(MoontraceError) -> [UInt8] {
    try expect(LUA_TSTRING, position, "a string")
    return stack.bytes(at: Int32(position))
  }

  /// A string as UTF-8 text.
  public func text(_ position: Int) throws(MoontraceError) -> String {
    String(decoding: try string(position), as: UTF8.self)
  }

  /// A table, copied to a depth of 16.
  public func table(_ position: Int) throws(MoontraceError) -> LuaTable {
    try expect(LUA_TTABLE, position, "a table")
    return try stack.table(at: Int32(position))
  }

  public func function(_ position: Int) throws(MoontraceError) -> LuaFunction {
    try expect(LUA_TFUNCTION, position, "a function")
    return try stack.function(at: Int32(position))
  }

  /// An argument of any type; `.nil` beyond the last one.
  public func value(_ position: Int) throws(MoontraceError) -> LuaValue {
    position > count ? .nil : try stack.value(at: Int32(position))
  }

  /// nil when the argument is absent or nil.
  public func optionalInteger(_ position: Int) throws(MoontraceError) -> Int64? {
    isNil(position) ? nil : try integer(position)
  }

  /// nil when the argument is absent or nil.
  public func optionalText(_ position: Int) throws(MoontraceError) -> String? {
    isNil(position) ? nil : try text(position)
  }

  /// `file:line` of the script's innermost function; nil when none is running.
  public var location: String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let start = buffer.baseAddress, mt_lua_where(lua, start, buffer.count) else { return nil }
      return String(cString: start)
    }
  }

  /// Ends the script with an exit code: everything in Lua unwinds once the host function has returned.
  public func requestExit(_ code: Int32) {
    mt_lua_request_exit(lua, code)
  }

  /// The error for an argument that has the right type but makes no sense.
  public func badArgument(_ position: Int, _ cause: String) -> MoontraceError {
    MoontraceError(.scriptFailed, "bad argument #\(position) to '\(name)' (\(cause))")
  }

  private func expect(_ type: Int32, _ position: Int, _ expected: String) throws(MoontraceError) {
    if position <= count, lua_type(lua, Int32(position)) == type { return }
    throw badArgument(position, "\(expected) expected, got \(typeName(position))")
  }
}
