import Glibc

/// A failed system call, before a room gives it meaning as a `MoontraceError`.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was attempted: `open /etc/shadow`.
  public var call: String
  public var errno: Int32

  public init(_ call: String, errno: Int32) {
    self.call = call
    self.errno = errno
  }

  public var description: String { "\(call): \(errnoText(errno))" }
}

/// The system's text for an error number: `No such file or directory`.
public func errnoText(_ number: Int32) -> String {
  String(cString: strerror(number))
}

/// Runs a call that answers -1 and sets errno, again when a signal interrupted it.
///
/// ```swift
/// let fd = try check("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) }
/// ```
@discardableResult
public func check<Result: SignedInteger>(
  _ call: @autoclosure () -> String, _ body: () -> Result
) throws(SystemError) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    if errno != EINTR { throw SystemError(call(), errno: errno) }
  }
}
