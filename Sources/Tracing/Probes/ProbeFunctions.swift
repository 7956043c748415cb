import CLuaBridge
import LuaRuntime
import ProbeCompiler
import Support

/// The host functions behind `probe`, `map`, `global`, `stream` and the aggregates. What scripts make is known to Lua by
/// its number.
extension TracingSession {
  func defineProbes() {
    defineProbing()
    defineMaps()
    defineGroups()
    defineAggregates()
    let session = self
    runtime.define("on_finish") { [unowned session] call throws(MoontraceError) in
      session.printAggregates = try call.function(1)
      return []
    }
  }

  private func define(
    _ name: String, _ body: @escaping (ProbeSet, borrowing LuaCall) throws(MoontraceError) -> LuaResults
  ) {
    let session = self
    runtime.define(name) { [unowned session] call throws(MoontraceError) in
      do throws(MoontraceError) {
        return try body(session.probes, call)
      } catch {
        throw session.asScriptError(error)
      }
    }
  }

  /// Marks an argument as an object of the script's, so that probe functions may name it.
  private static func mark(
    _ call: borrowing LuaCall, _ kind: ScriptHost.ObjectKind, _ number: Int
  ) throws(MoontraceError) -> LuaResults {
    try call.mark(1, kind: kind.rawValue, number: number)
    return [.integer(Int64(number))]
  }

  /// An argument that is the number of an object.
  private static func element<Value>(
    of list: [Value], _ call: borrowing LuaCall
  ) throws(MoontraceError) -> Value {
    guard let number = Int(exactly: try call.integer(1)), list.indices.contains(number) else {
      throw MoontraceError(.scriptFailed, "the object is not this script's")
    }
    return list[number]
  }

  // MARK: Probes and streams

  private func defineProbing() {
    // (specs, function, optional, first, stream)
    define("probe") { probes, call throws(MoontraceError) in
      guard probes.isOpen else {
        throw MoontraceError(
          .scriptFailed, "probe: the trace runs already", remedy: "register probes in the script's main part")
      }
      guard case .function(let function) = call.inspect(2) else {
        throw MoontraceError(.scriptFailed, "probe: expected a function written in Lua as the second argument")
      }
      let request = ProbeSet.Request(
        specs: try call.table(1).list.compactMap(\.text), function: HostReference(Int(function)),
        stream: Int(try call.integer(5)), isOptional: try call.boolean(3), takesFirst: try call.boolean(4),
        location: call.location)
      if probes.configuration.checksOnly { probes.check(request) } else { try probes.add(request) }
      return []
    }
    define("stream_new") { probes, call throws(MoontraceError) in
      try Self.mark(call, .stream, probes.addStream())
    }
    define("exit_handler") { probes, call throws(MoontraceError) in
      probes.exitHandler = try call.function(1)
      return []
    }
    define("stream_each") { probes, call throws(MoontraceError) in
      _ = try Self.element(of: probes.handlers, call)
      try probes.addHandler(try call.function(2), toStream: Int(try call.integer(1)))
      return []
    }
  }

  // MARK: Maps and globals

  private func defineMaps() {
    // (object, options, pending, store)
    define("map_new") { probes, call throws(MoontraceError) in
      let options = try ScriptMap.Options(try call.table(2))
      let map = ScriptMap(
        options, location: call.location, pending: try call.function(3), store: try call.function(4))
      return try Self.mark(call, .map, probes.addMap(map))
    }
    define("map_open") { probes, call throws(MoontraceError) in
      guard let binding = try Self.element(of: probes.maps, call).binding else { return [] }
      guard mt_lua_push_map(call.lua, binding.config) else {
        throw MoontraceError(.scriptFailed, "not enough memory for a map")
      }
      return .pushed(1)
    }
    define("map_name") { probes, call throws(MoontraceError) in
      probes.nameObjects()
      return [.text(try Self.element(of: probes.compiler.schema.maps, call).name)]
    }
  }

  private func defineGroups() {
    define("group_new") { probes, call throws(MoontraceError) in
      try Self.mark(call, .globals, probes.addGlobals(try ScriptGlobals(try call.table(2))))
    }
    define("group_get") { probes, call throws(MoontraceError) in
      [try Self.element(of: probes.globals, call).value(try call.text(2))]
    }
    define("group_set") { probes, call throws(MoontraceError) in
      try Self.element(of: probes.globals, call).set(try call.text(2), to: try call.value(3))
      return []
    }
  }

  // MARK: Aggregates

  private func defineAggregates() {
    // (object, function, maximum, name, low, high, step)
    define("aggregate_new") { probes, call throws(MoontraceError) in
      let aggregate = ScriptAggregate(
        try Self.function(call), maximum: Int(try call.optionalInteger(3) ?? Int64(AggregateShape.standardMaximum)))
      return try Self.mark(call, .aggregate, probes.addAggregate(aggregate, name: try call.optionalText(4)))
    }
    define("aggregate_about") { probes, call throws(MoontraceError) in
      probes.nameObjects()
      let type = try Self.element(of: probes.compiler.schema.aggregates, call)
      return .values([.text(type.name), .text(type.function.name)] + type.function.bounds)
    }
    // (object, top)
    define("aggregate_rows") { probes, call throws(MoontraceError) in
      let top = try call.optionalInteger(2).map { Int(clamping: $0) }
      try Self.element(of: probes.aggregates, call).pushRows(call.lua, top: top)
      return .pushed(1)
    }
    define("aggregate_drain") { probes, call throws(MoontraceError) in
      try Self.element(of: probes.aggregates, call).pushDrained(call.lua)
      return .pushed(1)
    }
    define("aggregate_row") { probes, call throws(MoontraceError) in
      try Self.element(of: probes.aggregates, call).pushRows(call.lua, keyAt: 2)
      return .pushed(1)
    }
    define("aggregate_has_key") { probes, call throws(MoontraceError) in
      [.boolean(try Self.element(of: probes.aggregates, call).hasKey ?? false)]
    }
    define("aggregate_clear") { probes, call throws(MoontraceError) in
      try Self.element(of: probes.aggregates, call).clear()
      return []
    }
    define("aggregate_is_used") { probes, call throws(MoontraceError) in
      let aggregate = try Self.element(of: probes.aggregates, call)
      return [.boolean(!aggregate.isAnonymous || aggregate.map != nil)]
    }
    define("aggregate_count") { probes, _ in [.integer(Int64(probes.aggregates.count))] }
  }

  private static func function(
    _ call: borrowing LuaCall
  ) throws(MoontraceError) -> ProbeSchema.AggregateType.Function {
    let name = try call.text(2)
    if name == "lhist" {
      let (low, high, step) = (try call.integer(5), try call.integer(6), try call.integer(7))
      let problem = ProbeSchema.AggregateType.Function.problem(low: low, high: high, step: step)
      if let problem { throw MoontraceError(.scriptFailed, problem) }
      return .linear(low: low, high: high, step: step)
    }
    let plain: [ProbeSchema.AggregateType.Function] = [
      .count, .sum, .average, .minimum, .maximum, .statistics, .histogram,
    ]
    guard let function = plain.first(where: { $0.name == name }) else {
      throw MoontraceError(.scriptFailed, "there is no aggregate '\(name)'")
    }
    return function
  }
}

extension ProbeSchema.AggregateType.Function {
  /// Low, high and step of a linear histogram.
  fileprivate var bounds: [LuaValue] {
    guard case .linear(let low, let high, let step) = self else { return [] }
    return [.integer(low), .integer(high), .integer(step)]
  }
}
