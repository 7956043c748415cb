import CLuaBridge
import Support

/// A value of a script as it stands, without a copy of what tables and functions hold.
public enum LuaInspected: Equatable, Sendable {
  case `nil`
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case string([UInt8])
  /// The table of global variables.
  case globals
  /// A table, by a number that stands for it.
  case table(Int64)
  /// A table that has a metatable, by a number that stands for it.
  case tableWithMetatable(Int64)
  /// A function of the script, by a number that stands for it.
  case function(Int64)
  /// What the host made: see ``LuaCall/mark(_:kind:number:)``.
  case object(kind: UInt32, number: Int)
  /// A function of Lua's library or the host's, by the name that scripts call it: `math.min`, `print`.
  case library(String)
  /// A value of another kind, by its Lua type name; functions of the host and of its library without a name too.
  case other(String)

  init(_ value: mt_inspected) {
    switch value.type {
    case MT_INSPECTED_BOOLEAN: self = .boolean(value.integer != 0)
    case MT_INSPECTED_INTEGER: self = .integer(value.integer)
    case MT_INSPECTED_NUMBER: self = .number(value.number)
    case MT_INSPECTED_STRING: self = .string(Self.bytes(value))
    case MT_INSPECTED_GLOBALS: self = .globals
    case MT_INSPECTED_TABLE: self = .table(value.integer)
    case MT_INSPECTED_METATABLE: self = .tableWithMetatable(value.integer)
    case MT_INSPECTED_FUNCTION: self = .function(value.integer)
    case MT_INSPECTED_OBJECT: self = .object(kind: value.kind, number: Int(value.integer))
    case MT_INSPECTED_LIBRARY: self = .library(Self.libraryName(value))
    case MT_INSPECTED_OTHER: self = .other(String(decoding: Self.bytes(value), as: UTF8.self))
    default: self = .nil
    }
  }

  private static func libraryName(_ value: mt_inspected) -> String {
    let name = String(decoding: bytes(value), as: UTF8.self)
    return value.library.map { String(cString: $0) + "." + name } ?? name
  }

  private static func bytes(_ value: mt_inspected) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: value.bytes, count: value.length))
  }
}

/// Reads functions, tables and globals of a script raw: no metamethod and nothing else of the script runs.
///
/// Numbers that it hands out stay the same for the same table or function, and keep it from collection, until `end()`.
///
/// ```swift
/// let inspector = LuaInspector(runtime)
/// if case .function(let handler) = inspector.global("on_open") { inspector.upvalue(of: handler, at: 0) }
/// ```
public struct LuaInspector {
  private let runtime: LuaRuntime

  public init(_ runtime: LuaRuntime) {
    self.runtime = runtime
  }

  private var lua: OpaquePointer { mt_lua_state(runtime.state) }

  /// The value of a function's upvalue, counted from 0; `.nil` when there is none.
  public func upvalue(of function: Int64, at index: Int) -> LuaInspected {
    read { mt_lua_inspect_upvalue(lua, function, Int32(clamping: index), &$0) }
  }

  public func field(of table: Int64, name: [UInt8]) -> LuaInspected {
    read { value in
      name.withUnsafeBytes { mt_lua_inspect_field(lua, table, $0.baseAddress, $0.count, &value) }
    }
  }

  public func element(of table: Int64, at index: Int64) -> LuaInspected {
    read { mt_lua_inspect_element(lua, table, index, &$0) }
  }

  public func global(_ name: String) -> LuaInspected {
    var name = name
    return name.withUTF8 { bytes in
      read { mt_lua_inspect_global(lua, bytes.baseAddress, bytes.count, &$0) }
    }
  }

  /// All entries of a table, in no order; nil when there are more than `limit`.
  public func entries(of table: Int64, limit: Int) -> [(key: LuaInspected, value: LuaInspected)]? {
    var entries: [(LuaInspected, LuaInspected)] = []
    let isWhole = withUnsafeMutablePointer(to: &entries) {
      mt_lua_inspect_entries(lua, table, limit, appendEntry, $0)
    }
    return isWhole ? entries : nil
  }

  /// The function's bytecode, as `string.dump(f, false)` gives it.
  public func dump(of function: Int64) throws(MoontraceError) -> [UInt8] {
    var bytes: [UInt8] = []
    let written = withUnsafeMutablePointer(to: &bytes) { bytes in
      mt_lua_inspect_dump(lua, function, appendPiece, bytes)
    }
    guard written else { throw MoontraceError(.scriptFailed, "a function's bytecode can't be read: not enough memory") }
    return bytes
  }

  /// The name of each object of the host that a variable of the running script holds.
  public func objectNames() -> [(kind: UInt32, number: Int, name: String)] {
    var names: [(UInt32, Int, String)] = []
    withUnsafeMutablePointer(to: &names) { mt_lua_name_objects(lua, appendName, $0) }
    return names
  }

  /// Forgets all numbers.
  public func end() {
    mt_lua_inspect_end(lua)
  }

  /// Values that memory is too short for read as nil; what the script does next fails for the same reason.
  private func read(_ body: (inout mt_inspected) -> Bool) -> LuaInspected {
    var value = mt_inspected()
    return body(&value) ? LuaInspected(value) : .nil
  }
}

private let appendPiece: mt_dump_fn = { context, bytes, length in
  context?.assumingMemoryBound(to: [UInt8].self).pointee += UnsafeRawBufferPointer(start: bytes, count: length)
  return true
}

private let appendEntry: mt_entry_fn = { context, key, value in
  guard let key, let value else { return }
  let entries = context?.assumingMemoryBound(to: [(LuaInspected, LuaInspected)].self)
  entries?.pointee.append((LuaInspected(key.pointee), LuaInspected(value.pointee)))
}

private let appendName: mt_object_name_fn = { context, kind, number, name in
  guard let name else { return }
  let names = context?.assumingMemoryBound(to: [(UInt32, Int, String)].self)
  names?.pointee.append((kind, Int(number), String(cString: name)))
}

extension LuaCall {
  /// An argument as an inspector sees it; `.nil` beyond the last one.
  public func inspect(_ position: Int) -> LuaInspected {
    var value = mt_inspected()
    guard position <= count, mt_lua_inspect(lua, Int32(position), &value) else { return .nil }
    return LuaInspected(value)
  }

  /// Makes a table or userdata that is an argument an object of the host, which inspectors tell from others.
  public func mark(_ position: Int, kind: UInt32, number: Int) throws(MoontraceError) {
    guard position <= count, mt_lua_mark_object(lua, Int32(position), kind, UInt32(number)) else {
      throw MoontraceError(.scriptFailed, "not enough memory for an object")
    }
  }
}
