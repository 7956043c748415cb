import LuaBytecode
import Support

/// Errors about a place in a probe's Lua text.
enum Refusal {
  static func at(
    _ prototype: LuaPrototype, _ pc: Int, _ message: String, _ remedy: String? = nil
  ) -> MoontraceError {
    let line = prototype.line(at: pc) ?? prototype.lineDefined
    return MoontraceError(.scriptFailed, message, remedy: remedy, location: "\(prototype.sourceName):\(line)")
  }
}
