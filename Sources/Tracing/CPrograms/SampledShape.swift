import BTF
import LuaRuntime

/// What Lua's values don't say about the value that they were read from.
extension ValueLayout {
  /// How a key or value is to be shown, for `api/samples.lua`: `{members = {NAME = …}}` of a record, `{element = …}` of
  /// an array, else `{zero = …, form = …}`: what reads as nothing, and what Lua's value stands for when it is not itself
  /// (`unsigned` numbers of 64 bits, `pointer`s, `bytes`).
  var sampledShape: LuaTable { sampledShape(depth: 0) }

  private func sampledShape(depth: Int) -> LuaTable {
    switch self {
    case .array(let element, _, _): return Self.shape("element", element.sampledShape(depth: depth + 2))
    case .record(let record):
      let members = record.members.map { ($0.name, LuaValue.table($0.value.sampledShape(depth: depth + 1))) }
      return Self.shape("members", LuaTable(fields: Dictionary(members, uniquingKeysWith: { first, _ in first })))
    case .integer(8, false): return Self.shape(zero: .integer(0), "unsigned")
    // Inside of arrays and inner structs they are written as numbers, as in events.
    case .pointer: return Self.shape(zero: .integer(0), depth > 1 ? "unsigned" : "pointer")
    case .integer(16, _), .bytes: return Self.shape(zero: .string(Array(repeating: 0, count: size)), "bytes")
    case .integer, .float: return Self.shape(zero: .integer(0))
    case .boolean: return Self.shape(zero: .boolean(false))
    case .text: return Self.shape(zero: "")
    case .enumeration(let size, let isSigned, let names):
      let name = names.first { $0.value == 0 }?.name
      return Self.shape(zero: name.map { .text($0) } ?? .integer(0), size == 8 && !isSigned ? "unsigned" : .nil)
    }
  }

  private static func shape(_ field: String, _ inner: LuaTable) -> LuaTable {
    LuaTable(fields: [field: .table(inner)])
  }

  private static func shape(zero: LuaValue, _ form: LuaValue = .nil) -> LuaTable {
    LuaTable(fields: ["zero": zero, "form": form])
  }

  /// Whether values of several CPUs add up: whether all in them is numbers.
  var hasSum: Bool {
    switch self {
    case .integer(let size, _): size <= 8
    case .float: true
    case .array(let element, _, _): element.hasSum
    case .record(let record): record.members.allSatisfy(\.value.hasSum)
    default: false
    }
  }
}
