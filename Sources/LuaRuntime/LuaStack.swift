import CLua
import CLuaBridge
import Support

/// Moves values between Swift and the stack of one coroutine. Uses only what can't raise a Lua error.
struct LuaStack {
  /// How deep tables are read and written.
  static let depthLimit = 16

  let lua: OpaquePointer
  let state: LuaState

  func pop(_ count: Int32 = 1) {
    lua_settop(lua, -count - 1)
  }

  // MARK: - To Lua

  func push(_ value: LuaValue, depth: Int = depthLimit) throws(MoontraceError) {
    guard lua_checkstack(lua, 4) != 0 else { throw state.outOfMemory }
    switch value {
    case .nil: lua_pushnil(lua)
    case .boolean(let value): lua_pushboolean(lua, value ? 1 : 0)
    case .integer(let value): lua_pushinteger(lua, value)
    case .number(let value): lua_pushnumber(lua, value)
    case .string(let bytes): try push(bytes)
    case .table(let table): try push(table, depth: depth - 1)
    case .function(let function): push(function)
    case .other(let type): throw MoontraceError(.scriptFailed, "a \(type) can't be handed to Lua by value")
    }
  }

  func push(_ function: LuaFunction) {
    lua_rawgeti(lua, luaRegistryIndex, lua_Integer(function.reference))
  }

  private func push(_ bytes: [UInt8]) throws(MoontraceError) {
    let pushed = bytes.withUnsafeBytes { mt_lua_push_string(lua, $0.baseAddress, $0.count) }
    guard pushed else { throw state.outOfMemory }
  }

  private func push(_ table: LuaTable, depth: Int) throws(MoontraceError) {
    guard depth > 0 else { throw tooDeep }
    let top = lua_gettop(lua)
    do throws(MoontraceError) {
      guard mt_lua_push_table(lua, Int32(clamping: table.list.count), Int32(clamping: table.fields.count)) else {
        throw state.outOfMemory
      }
      for (index, value) in table.list.enumerated() {
        try push(value, depth: depth)
        guard mt_lua_set_index(lua, top + 1, Int64(index + 1)) else { throw state.outOfMemory }
      }
      for (name, value) in table.fields {
        try push(value, depth: depth)
        try setField(name, ofTableAt: top + 1)
      }
    } catch {
      lua_settop(lua, top)
      throw error
    }
  }

  /// table[name] = the value on top, which is popped.
  func setField(_ name: String, ofTableAt table: Int32) throws(MoontraceError) {
    guard mt_lua_set_field(lua, table, name, name.utf8.count) else { throw state.outOfMemory }
  }

  // MARK: - From Lua

  func value(at index: Int32, depth: Int = depthLimit) throws(MoontraceError) -> LuaValue {
    switch lua_type(lua, index) {
    case LUA_TNIL, LUA_TNONE: return .nil
    case LUA_TBOOLEAN: return .boolean(lua_toboolean(lua, index) != 0)
    case LUA_TNUMBER where lua_isinteger(lua, index) != 0: return .integer(lua_tointegerx(lua, index, nil))
    case LUA_TNUMBER: return .number(lua_tonumberx(lua, index, nil))
    case LUA_TSTRING: return .string(bytes(at: index))
    case LUA_TTABLE: return .table(try table(at: index, depth: depth - 1))
    case LUA_TFUNCTION: return .function(try function(at: index))
    default: return .other(typeName(at: index))
    }
  }

  /// The bytes of the string at `index`; the caller has checked that it is one.
  func bytes(at index: Int32) -> [UInt8] {
    var length = 0
    guard let start = lua_tolstring(lua, index, &length) else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: length))
  }

  func function(at index: Int32) throws(MoontraceError) -> LuaFunction {
    let reference = mt_lua_ref(lua, index)
    guard reference != LUA_NOREF else { throw state.outOfMemory }
    return LuaFunction(state: state, reference: reference)
  }

  func table(at index: Int32, depth: Int = depthLimit) throws(MoontraceError) -> LuaTable {
    guard depth > 0 else { throw tooDeep }
    guard lua_checkstack(lua, 4) != 0 else { throw state.outOfMemory }
    let position = lua_absindex(lua, index)
    let top = lua_gettop(lua)
    defer { lua_settop(lua, top) }
    var table = LuaTable(list: try list(at: position, depth: depth))
    lua_pushnil(lua)
    while lua_next(lua, position) != 0 {
      try addField(to: &table, depth: depth)
      pop()
    }
    return table
  }

  private func list(at position: Int32, depth: Int) throws(MoontraceError) -> [LuaValue] {
    let count = Int64(lua_rawlen(lua, position))
    var list: [LuaValue] = []
    var index: Int64 = 0
    while index < count {
      index += 1
      lua_rawgeti(lua, position, index)
      list.append(try value(at: -1, depth: depth))
      pop()
    }
    return list
  }

  /// Takes in the key below the top and the value on top, unless the list has it.
  private func addField(to table: inout LuaTable, depth: Int) throws(MoontraceError) {
    if lua_type(lua, -2) == LUA_TSTRING {
      table.fields[String(decoding: bytes(at: -2), as: UTF8.self)] = try value(at: -1, depth: depth)
      return
    }
    let index = lua_isinteger(lua, -2) != 0 ? lua_tointegerx(lua, -2, nil) : 0
    if index < 1 || index > Int64(table.list.count) { table.otherKeyCount += 1 }
  }

  func typeName(at index: Int32) -> String {
    String(cString: lua_typename(lua, lua_type(lua, index)))
  }

  private var tooDeep: MoontraceError {
    MoontraceError(
      .scriptFailed, "a table is nested deeper than \(Self.depthLimit) levels", remedy: "does it contain itself?")
  }
}

/// `LUA_REGISTRYINDEX` of lua.h, a macro that Swift does not import.
private let luaRegistryIndex: Int32 = -LUAI_MAXSTACK - 1000
