import CLua
import Glibc
import LuaBytecode
import ProbeCompiler
import Support
import Testing

/// A Lua script whose functions are compiled: the real Lua, with stand-ins for maps and the like.
final class TestScript: ProbeHost {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  let state: OpaquePointer
  /// Registry references of the objects that the compiler was told of, by number.
  private var references: [Int32] = []
  /// Strings that stand for shared objects: `local m = "map 0"`.
  private static let marks: [(String, @Sendable (Int) -> HostValue)] = [
    ("map ", { .map($0) }), ("stream ", { .stream($0) }), ("aggregate ", { .aggregate($0) }),
    ("globals ", { .globals($0) }),
  ]

  init() throws {
    state = try #require(luaL_newstate())
    luaL_openlibs(state)
  }

  deinit { lua_close(state) }

  /// Runs a text; the function that it returns.
  func load(_ text: String) throws -> HostReference {
    let bytes = Array(text.utf8)
    let status = bytes.withUnsafeBytes {
      luaL_loadbufferx(state, $0.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, "=test", "t")
    }
    if status != LUA_OK || lua_pcallk(state, 0, 1, 0, 0, nil) != LUA_OK { throw failure() }
    return keep()
  }

  /// Calls a function with integers, as Lua does it: its result as text, or nil when it raised an error.
  func call(_ function: HostReference, _ arguments: [Int64]) -> String? {
    push(function)
    for argument in arguments { lua_pushinteger(state, argument) }
    guard lua_pcallk(state, Int32(arguments.count), 1, 0, 0, nil) == LUA_OK else {
      lua_settop(state, 0)
      return nil
    }
    defer { lua_settop(state, 0) }
    switch lua_type(state, -1) {
    case LUA_TNIL: return "nil"
    case LUA_TBOOLEAN: return lua_toboolean(state, -1) != 0 ? "true" : "false"
    default: return lua_isinteger(state, -1) != 0 ? "\(lua_tointegerx(state, -1, nil))" : "other"
    }
  }

  private func failure() -> Failure {
    defer { lua_settop(state, 0) }
    return Failure(description: lua_tolstring(state, -1, nil).map { String(cString: $0) } ?? "?")
  }

  private func keep() -> HostReference {
    for (number, reference) in references.enumerated() {
      lua_rawgeti(state, -LUAI_MAXSTACK - 1000, lua_Integer(reference))
      let isSame = lua_rawequal(state, -1, -2) != 0
      lua_settop(state, -2)
      if isSame {
        lua_settop(state, -2)
        return HostReference(number)
      }
    }
    references.append(luaL_ref(state, -LUAI_MAXSTACK - 1000))
    return HostReference(references.count - 1)
  }

  private func push(_ reference: HostReference) {
    lua_rawgeti(state, -LUAI_MAXSTACK - 1000, lua_Integer(references[reference.number]))
  }

  // MARK: ProbeHost

  func prototype(of function: HostReference) throws(MoontraceError) -> LuaPrototype {
    let prototype = try LuaPrototype(dump: dump(function))
    try prototype.check()
    return prototype
  }

  /// What `string.dump` gives for a function.
  func dump(_ function: HostReference) -> [UInt8] {
    push(function)
    var output: [UInt8] = []
    withUnsafeMutablePointer(to: &output) { output in
      _ = lua_dump(
        state,
        { _, chunk, size, output in
          output?.assumingMemoryBound(to: [UInt8].self).pointee
            .append(contentsOf: UnsafeRawBufferPointer(start: chunk, count: size))
          return 0
        }, output, 0)
    }
    lua_settop(state, -2)
    return output
  }

  func upvalue(of function: HostReference, at index: Int) -> HostValue {
    push(function)
    let name = lua_getupvalue(state, -1, Int32(index + 1))
    defer { lua_settop(state, 0) }
    if let name, String(cString: name) == "_ENV" { return .environment }
    return take()
  }

  func field(of table: HostReference, name: [UInt8]) -> HostValue {
    push(table)
    name.withUnsafeBytes { _ = lua_pushlstring(state, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
    lua_rawget(state, -2)
    defer { lua_settop(state, 0) }
    return take()
  }

  func element(of table: HostReference, at index: Int64) -> HostValue {
    push(table)
    lua_rawgeti(state, -1, index)
    defer { lua_settop(state, 0) }
    return take()
  }

  func global(_ name: String) -> HostValue {
    lua_getglobal(state, name)
    defer { lua_settop(state, 0) }
    return take()
  }

  func entries(of table: HostReference, limit: Int) -> [(key: HostValue, value: HostValue)]? {
    var entries: [(HostValue, HostValue)] = []
    push(table)
    lua_pushnil(state)
    while lua_next(state, -2) != 0 {
      let value = take()
      lua_pushvalue(state, -2)
      entries.append((take(), value))
      lua_settop(state, lua_gettop(state) - 2)
    }
    lua_settop(state, 0)
    return entries.count <= limit ? entries : nil
  }

  /// The name of the function of Lua's on top: a global one, or one of `math` and `string`.
  private func libraryName() -> String? {
    for (library, prefix) in [("_G", ""), ("math", "math."), ("string", "string.")] {
      lua_getglobal(state, library)
      lua_pushnil(state)
      while lua_next(state, -2) != 0 {
        let isSame = lua_rawequal(state, -1, -4) != 0
        let name = isSame ? lua_tolstring(state, -2, nil).map { prefix + String(cString: $0) } : nil
        lua_settop(state, -2)
        guard let name else { continue }
        lua_settop(state, -3)
        return name
      }
      lua_settop(state, -2)
    }
    return nil
  }

  private func take() -> HostValue {
    switch lua_type(state, -1) {
    case LUA_TNIL: return .nil
    case LUA_TBOOLEAN: return .boolean(lua_toboolean(state, -1) != 0)
    case LUA_TNUMBER:
      if lua_isinteger(state, -1) != 0 { return .integer(lua_tointegerx(state, -1, nil)) }
      return .float(lua_tonumberx(state, -1, nil))
    case LUA_TSTRING:
      let text = lua_tolstring(state, -1, nil).map { String(cString: $0) } ?? ""
      for (mark, value) in Self.marks where text.hasPrefix(mark) {
        if let number = Int(text.dropFirst(mark.count)) { return value(number) }
      }
      return .string(Array(text.utf8))
    case LUA_TTABLE: return .table(keep())
    case LUA_TFUNCTION:
      guard lua_iscfunction(state, -1) != 0 else { return .function(keep()) }
      return libraryName().map(HostValue.library) ?? .other("function")
    default: return .other("userdata")
    }
  }
}
