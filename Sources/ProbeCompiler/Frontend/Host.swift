import LuaBytecode
import Support

/// A value of the script, as the compiler sees it when it reads a probe function.
public indirect enum HostValue: Equatable, Sendable {
  case `nil`
  case boolean(Bool)
  case integer(Int64)
  case float(Double)
  case string([UInt8])
  /// The table of global variables.
  case environment
  case table(HostReference)
  /// A table whose metatable may say something else than it holds.
  case tableWithMetatable
  case function(HostReference)
  /// A function of Lua's library or the host's, by the name that scripts call it: `math.min`, `print`.
  case library(String)
  /// A map, stream, aggregate or group of globals, by its number in the `ProbeSchema`.
  case map(Int)
  case stream(Int)
  case aggregate(Int)
  case globals(Int)
  /// Anything that probes can't use; the name of its Lua type.
  case other(String)

  var typeName: String {
    switch self {
    case .nil: "nil"
    case .boolean: "boolean"
    case .integer, .float: "number"
    case .string: "string"
    case .environment, .table, .tableWithMetatable: "table"
    case .function, .library: "function"
    case .map: "map"
    case .stream: "stream"
    case .aggregate: "aggregate"
    case .globals: "globals"
    case .other(let name): name
    }
  }
}

/// A table or function of the script, by whatever number its owner keeps it under; equal numbers are the same thing.
public struct HostReference: Hashable, Sendable {
  public let number: Int

  public init(_ number: Int) {
    self.number = number
  }
}

/// The script whose probes are compiled: answers what its functions and tables hold now.
///
/// Reading must have no side effect on the script: tables are read raw, without metamethods.
public protocol ProbeHost: AnyObject {
  func prototype(of function: HostReference) throws(MoontraceError) -> LuaPrototype
  func upvalue(of function: HostReference, at index: Int) -> HostValue
  func field(of table: HostReference, name: [UInt8]) -> HostValue
  func element(of table: HostReference, at index: Int64) -> HostValue
  /// All entries of a table, in any order; nil when there are more than `limit`.
  func entries(of table: HostReference, limit: Int) -> [(key: HostValue, value: HostValue)]?
  func global(_ name: String) -> HostValue
}
