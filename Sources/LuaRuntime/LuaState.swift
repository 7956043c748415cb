import CLuaBridge
import Support

/// Owns the C state. It outlives the runtime while functions are kept, so that freeing them stays safe.
final class LuaState {
  let lua: OpaquePointer
  let host: HostBoard
  let limits: LuaRuntime.Limits

  init(
    output: UnsafeMutablePointer<mt_output>, format: mt_format, limits: LuaRuntime.Limits, host: HostBoard
  ) throws(MoontraceError) {
    var config = mt_lua_config(
      host: callHost, context: Unmanaged.passUnretained(host).toOpaque(), output: output, format: format,
      memory_limit: limits.memoryBytes, callback_limit: limits.callbackNanoseconds)
    guard let lua = mt_lua_open(&config) else {
      throw MoontraceError(
        .scriptFailed, "no Lua state can be opened within \(limits.memoryBytes) bytes", remedy: "raise the memory limit"
      )
    }
    self.lua = lua
    self.host = host
    self.limits = limits
    host.state = self
  }

  deinit {
    mt_lua_close(lua)
  }

  /// The main coroutine.
  var main: OpaquePointer { mt_lua_state(lua) }

  func free(_ reference: Int32) {
    mt_lua_unref(lua, reference)
  }

  var outOfMemory: MoontraceError {
    MoontraceError(.scriptFailed, "not enough memory (the limit is \(limits.memoryBytes >> 20) MiB)")
  }
}

/// The trampoline's way into Swift; its context is the board.
private let callHost: mt_lua_host_fn = { context, function, state, count in
  guard let context, let state else { return -1 }
  return Unmanaged<HostBoard>.fromOpaque(context).takeUnretainedValue().run(function, in: state, count: count)
}
