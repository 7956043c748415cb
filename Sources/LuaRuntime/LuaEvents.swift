import CLuaBridge
import Support

/// Lua handlers and printers for a source whose records are of several types, told apart by a number in their first
/// 8 bytes.
///
/// A type's records go to its handlers; without any, to its printer; without one, through its format.
///
/// ```swift
/// let events = LuaEvents(runtime)
/// let opened = try events.addType(plan: plan.plan)
/// try events.add(handler, toType: opened)
/// let outcome = events.drain(ring.sources[0], limit: 4096)
/// ```
public final class LuaEvents {
  /// Prints one record, whose bytes come behind the context.
  public struct Printer {
    public var print: mt_record_fn
    /// Outlives the events.
    public var context: UnsafeMutableRawPointer

    public init(print: @escaping mt_record_fn, context: UnsafeMutableRawPointer) {
      self.print = print
      self.context = context
    }
  }

  private let runtime: LuaRuntime
  private var streams: [LuaStream] = []
  private var routes: [mt_lua_route] = []
  private var texts: [UnsafeMutableBufferPointer<CChar>] = []

  public init(_ runtime: LuaRuntime) {
    self.runtime = runtime
  }

  deinit {
    for text in texts { text.deallocate() }
  }

  /// Adds a type of records, which read by `plan` behind their number; the number is how many types there were.
  /// `format` is one for Lua's `string.format`, with the record's fields as arguments, and `place` where the script has
  /// it (`file:line`), for errors. `plan` must outlive the events.
  public func addType(
    plan: UnsafePointer<mt_plan>, printer: Printer? = nil, format: [UInt8]? = nil, place: String? = nil
  ) throws(MoontraceError) -> Int {
    let stream = try LuaStream(runtime, plan: plan)
    var route = mt_lua_route()
    route.stream = stream.pointer
    route.plan = plan
    route.print = printer?.print
    route.context = printer?.context
    if let format {
      route.format = keep(format)
      route.format_length = format.count
      route.place = place.flatMap { keep(Array($0.utf8)) }
    }
    streams.append(stream)
    routes.append(route)
    return routes.count - 1
  }

  /// A copy for C, with a NUL behind it.
  private func keep(_ text: [UInt8]) -> UnsafePointer<CChar>? {
    let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.count + 1)
    _ = copy.initialize(from: text.map { CChar(bitPattern: $0) } + [0])
    texts.append(copy)
    return UnsafePointer(copy.baseAddress)
  }

  /// Adds a handler for the records of a type, from the next drain on.
  public func add(_ handler: LuaFunction, toType number: Int) throws(MoontraceError) {
    try streams[number].add(handler)
  }

  /// Hands at most `limit` records of `source` over, in their order, and stops behind the first whose handler fails;
  /// that one counts as delivered. Call again to go on.
  public func drain(
    _ source: UnsafeMutablePointer<mt_source>, limit: UInt64
  ) -> (delivered: UInt64, failure: LuaFailure?) {
    let result = routes.withUnsafeBufferPointer {
      mt_lua_events_drain(runtime.state, $0.baseAddress, UInt32($0.count), source, limit)
    }
    return (result.delivered, result.status == 0 ? nil : runtime.lastFailure())
  }
}
