import CLuaBridge
import Support

/// Lua handlers for the records of one type.
///
/// ```swift
/// let stream = try LuaStream(runtime, plan: plan.plan)
/// try stream.add(handler)
/// let outcome = stream.drain(ring.sources[0], limit: 4096)
/// ```
public final class LuaStream {
  /// nil once closed.
  private var stream: OpaquePointer?
  private let runtime: LuaRuntime

  /// Makes a stream without handlers. `plan` must outlive it.
  public init(_ runtime: LuaRuntime, plan: UnsafePointer<mt_plan>) throws(MoontraceError) {
    guard let stream = mt_lua_stream_open(runtime.state, plan) else {
      throw MoontraceError(.scriptFailed, "not enough memory for a stream")
    }
    self.stream = stream
    self.runtime = runtime
  }

  /// The C stream; nil once closed.
  var pointer: OpaquePointer? { stream }

  deinit {
    close()
  }

  /// Calls no handler any more, also when a handler is running now: its view becomes stale.
  public func close() {
    mt_lua_stream_close(stream)
    stream = nil
  }

  /// Adds a handler; handlers are called in the order they were added, each with a view of the record.
  public func add(_ handler: LuaFunction) throws(MoontraceError) {
    guard let stream else { throw MoontraceError(.scriptFailed, "the stream is closed: it takes no handlers") }
    runtime.pushOnMain(handler)
    guard mt_lua_stream_add_handler(stream) else {
      throw MoontraceError(.scriptFailed, "not enough memory for a handler")
    }
  }

  /// Hands at most `limit` records of `source` to the handlers and stops behind the first that fails; the failing
  /// record counts as delivered. Call again to go on.
  public func drain(
    _ source: UnsafeMutablePointer<mt_source>, limit: UInt64
  ) -> (delivered: UInt64, failure: LuaFailure?) {
    guard let stream else { return (0, nil) }
    let result = mt_lua_stream_drain(stream, source, limit)
    return (result.delivered, result.status == 0 ? nil : runtime.lastFailure())
  }
}
