import CEventCore
import EventStream
import KernelLoader
import LuaRuntime
import ProbeCompiler
import Support

/// A `map{}` of a script: first what its user half has stored so far, then the kernel's map.
final class ScriptMap {
  /// What `map{…}` was given.
  struct Options {
    var maximum = 10_240
    var isLRU = false
    var isPerCPU = false
    var key: DataType?
    var value: DataType?
  }

  let options: Options
  /// `file:line` where the script made it, for errors that show later.
  let location: String?
  /// Gives the entries that the user half has stored, a list of {key, value}.
  let pending: LuaFunction
  /// Stores them into the kernel's map.
  let store: LuaFunction
  private(set) var map: KernelMap?
  private(set) var binding: MapBinding?

  init(_ options: Options, location: String?, pending: LuaFunction, store: LuaFunction) {
    self.options = options
    self.location = location
    self.pending = pending
    self.store = store
  }

  var type: MapType {
    switch (options.isLRU, options.isPerCPU) {
    case (false, false): .hash
    case (false, true): .perCPUHash
    case (true, false): .lruHash
    case (true, true): .lruPerCPUHash
    }
  }

  /// What `map{…}` said of it.
  var declaration: ProbeSchema.MapType {
    ProbeSchema.MapType(
      name: "map", maximum: UInt32(options.maximum), isPerCPU: options.isPerCPU, key: options.key, value: options.value)
  }

  /// Gives the kernel's map back, which nothing has used.
  func discard() {
    map = nil
    binding = nil
  }

  /// Makes the kernel's map, once its types are known.
  func create(_ schema: ProbeSchema.MapType, namer: UnsafePointer<mt_namer>) throws(MoontraceError) {
    guard let key = schema.key, let value = schema.value else { return }
    let map = try KernelMap(
      .init(
        name: schema.name, type: type, keySize: Int(key.size), valueSize: Int(value.size),
        maxEntries: options.maximum))
    let binding = MapBinding(
      name: schema.name, type: type, keySize: Int(key.size), key: DecodePlan(data: key, namer: namer),
      value: DecodePlan(data: value, namer: namer))
    binding.refresh(descriptor: map.descriptor, valueSize: Int(value.size), maxEntries: options.maximum)
    self.map = map
    self.binding = binding
  }
}

extension ScriptMap.Options {
  /// Reads the table that `map` was given; Lua's side has refused unknown names.
  init(_ table: LuaTable) throws(MoontraceError) {
    if case .integer(let count) = table["max"] {
      guard let maximum = Int(exactly: count), (1...(1 << 28)).contains(maximum) else {
        throw MoontraceError(.scriptFailed, "map: max is a number of entries from 1 to \(1 << 28), not \(count)")
      }
      self.maximum = maximum
    }
    isLRU = table["lru"] == .boolean(true)
    isPerCPU = table["percpu"] == .boolean(true)
    key = try DataType.declared(table["key"], as: "key")
    value = try DataType.declared(table["value"], as: "value")
  }
}
