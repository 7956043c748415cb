/// The one error of the project: what happened, where, and what to do about it.
///
/// `code` is the process's exit code (SPEC §1), so that an error keeps its meaning from the room that found it to
/// the command line.
///
/// ```swift
/// throw MoontraceError(.unsupported, "kprobe 'do_exit': this kernel has no kprobes", remedy: "use a tracepoint")
/// ```
public struct MoontraceError: Error, Equatable, Sendable {
  public enum Code: Int32, Sendable {
    case scriptFailed = 1
    case usage = 2
    case notPermitted = 3
    case unsupported = 4
  }

  public var code: Code
  /// What went wrong, naming the program, map, field or option it concerns. No final full stop.
  public var message: String
  /// What to do about it, one clause.
  public var remedy: String?
  /// `file:line`, when a place in a source text is to blame.
  public var location: String?
  /// Everything there is to know (a verifier's whole log), shown with `--verbose`.
  public var detail: String?

  public init(
    _ code: Code, _ message: String, remedy: String? = nil, location: String? = nil, detail: String? = nil
  ) {
    self.code = code
    self.message = message
    self.remedy = remedy
    self.location = location
    self.detail = detail
  }
}

extension MoontraceError: CustomStringConvertible {
  /// `location: message (remedy)`, the form that users see.
  public var description: String {
    let place = location.map { "\($0): " } ?? ""
    let advice = remedy.map { " (\($0))" } ?? ""
    return place + message + advice
  }
}
