import CLuaBridge
import Support

/// Why a run of Lua ended early.
public enum LuaFailure: Error, Equatable {
  /// The script called `exit(code)`; not a failure of anything.
  case exit(Int32)
  /// The message, its `file:line` and, as detail, the traceback of the script's frames.
  case error(MoontraceError)

  /// The failure as an error, for a host function that called Lua: what it throws then only ends its own call, for an
  /// exit goes on by itself.
  public var asError: MoontraceError {
    switch self {
    case .exit(let code): MoontraceError(.scriptFailed, "exit(\(code))")
    case .error(let error): error
    }
  }
}

/// The text of an uncaught Lua error in its parts.
struct LuaErrorText {
  let location: String?
  let message: String
  let traceback: String?
  private let whole: String

  /// Splits `file:line: message`; the text may have no place.
  init(_ text: String, traceback: String?) {
    whole = text
    self.traceback = traceback
    (location, message) = Self.split(text)
  }

  private static func split(_ text: String) -> (String?, String) {
    let bytes = Array(text.utf8)
    guard let end = endOfPlace(bytes) else { return (nil, text) }
    return (String(decoding: bytes[..<end], as: UTF8.self), String(decoding: bytes[(end + 2)...], as: UTF8.self))
  }

  /// The index of the second colon in the first `:digits: ` of the first line.
  private static func endOfPlace(_ bytes: [UInt8]) -> Int? {
    let colon = UInt8(ascii: ":")
    for start in bytes.indices {
      if bytes[start] == UInt8(ascii: "\n") { return nil }
      guard bytes[start] == colon, start > 0 else { continue }
      let digits = bytes[(start + 1)...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      let end = digits.endIndex
      if !digits.isEmpty, end + 1 < bytes.count, bytes[end] == colon, bytes[end + 1] == UInt8(ascii: " ") { return end }
    }
    return nil
  }

  /// The host's error if this text came from it, perhaps raised again by the script: the same, with its code and
  /// remedy, at the script's place.
  func matching(_ hostError: MoontraceError?) -> MoontraceError? {
    guard var error = hostError else { return nil }
    let raised = error.description
    guard whole == raised || whole.hasSuffix(": " + raised) else { return nil }
    error.location = error.location ?? location
    error.detail = error.detail ?? traceback
    return error
  }

  var error: MoontraceError {
    MoontraceError(.scriptFailed, message, location: location, detail: traceback)
  }
}
