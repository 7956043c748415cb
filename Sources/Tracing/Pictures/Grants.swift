import LuaRuntime
import Support

/// What a script may do: what `--allow` says, and what follows from options that were given to it.
final class Grants {
  private var capabilities: Capabilities

  init(_ capabilities: Capabilities) {
    self.capabilities = capabilities
  }

  /// nil when the request is allowed, else the error that says what to allow.
  func refusal(of request: CapabilityRequest) -> MoontraceError? { capabilities.refusal(of: request) }

  /// Lets the script write the file that an option names. Throws a usage error that names the option when nothing can be
  /// written there.
  func permitWriting(_ path: String, option: String) throws(MoontraceError) {
    do throws(MoontraceError) {
      _ = try ReservedFile(path)
      try capabilities.permitWriting(path)
    } catch {
      throw MoontraceError(.usage, "\(option): \(error.message)", remedy: error.remedy)
    }
  }
}
