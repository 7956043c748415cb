import CEventCore
import CLuaBridge
import Glibc
import LuaRuntimeTestSupport

/// A Lua state for one test, with streams, sources and maps that live as long as it does.
final class LuaFixture {
  let lua: OpaquePointer
  private var streams: [OpaquePointer] = []
  private var sources: [UnsafeMutablePointer<mt_test_source>] = []
  private var maps: [UnsafeMutablePointer<mt_test_map>] = []

  init(callbackMilliseconds limit: UInt64 = 10_000) throws {
    lua = try unwrap(mt_test_open(64 << 20, limit * 1_000_000))
  }

  deinit {
    for stream in streams { mt_lua_stream_close(stream) }
    mt_lua_close(lua)
    for source in sources { free(source) }
    for map in maps { mt_test_map_close(map) }
  }

  /// The first result of `text` as text, or "error: " and the error's first line.
  func run(_ text: String) throws -> String {
    let result = try unwrap(mt_test_eval(lua, text))
    defer { free(result) }
    return String(cString: result)
  }

  var memoryInUse: Int { mt_lua_memory_in_use(lua) }

  /// The error of the last drain, its first line.
  var error: String {
    String(String(cString: mt_lua_error(lua, nil)).prefix { $0 != "\n" })
  }

  // MARK: Streams

  /// A stream of test events, or of `plan`, with handlers given as Lua expressions.
  func stream(_ handlers: String..., plan: UnsafePointer<mt_plan>? = mt_test_event_plan()) throws -> OpaquePointer {
    let stream = try unwrap(mt_lua_stream_open(lua, plan))
    streams.append(stream)
    for handler in handlers where !mt_test_add_handler(lua, stream, "return " + handler) { throw FixtureError.handler }
    return stream
  }

  /// Records that count their `pid` up from 1.
  func source(_ count: UInt64) throws -> UnsafeMutablePointer<mt_test_source> {
    let source = try unwrap(mt_test_source_open(count))
    sources.append(source)
    return source
  }

  @discardableResult
  func drain(
    _ stream: OpaquePointer, _ source: UnsafeMutablePointer<mt_test_source>, limit: UInt64 = .max
  ) -> mt_drain_result {
    mt_lua_stream_drain(stream, mt_test_source_base(source), limit)
  }

  /// Closes a stream before the fixture ends.
  func close(_ stream: OpaquePointer) {
    streams.removeAll { $0 == stream }
    mt_lua_stream_close(stream)
  }

  /// Makes the global `name` close `stream`, which the fixture then leaves to it.
  func setClose(_ name: String, _ stream: OpaquePointer) {
    streams.removeAll { $0 == stream }
    mt_test_set_close(lua, name, stream)
  }

  // MARK: Maps

  /// A map in memory, as the global `name`.
  @discardableResult
  func map(
    _ name: String, _ shape: mt_map_shape = MT_MAP_HASH, cpus: UInt32 = 0, key: String? = "u32",
    value: String = "u64", maxEntries: UInt32 = 8
  ) throws -> UnsafeMutablePointer<mt_test_map> {
    let map = try unwrap(mt_test_map_open(name, shape, cpus, key, value, maxEntries))
    maps.append(map)
    mt_test_set_map(lua, name, map)
    return map
  }
}

enum FixtureError: Error { case missing, handler }

func unwrap<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw FixtureError.missing }
  return value
}
