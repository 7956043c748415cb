import CLibbpf
import Glibc
import Support

/// A failed libbpf or kernel call before it has become a sentence: the number and what libbpf said about it.
///
/// The one door from errno to `MoontraceError` in this room.
struct KernelFailure: Error {
  /// A positive errno, or a `LIBBPF_ERRNO__…` number from 4000 on.
  var number: Int32
  /// libbpf's warnings, oldest first.
  var lines: [String] = []

  /// The system's text for the number.
  var text: String {
    if number < 4000 { return errnoText(number) }
    var buffer = [CChar](repeating: 0, count: 128)
    libbpf_strerror(number, &buffer, buffer.count)
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Everything that libbpf printed; nil when it kept silent.
  var detail: String? { lines.isEmpty ? nil : lines.joined() }

  /// The failure as an error about `subject` (`program 'x'`), for causes with no better explanation.
  func error(_ subject: String, remedy: String? = nil) -> MoontraceError {
    if number == EPERM || number == EACCES { return permissionError(subject) }
    return MoontraceError(.scriptFailed, "\(subject): \(text)", remedy: remedy, detail: detail)
  }

  /// EPERM: says which capability is missing; when none is, the kernel itself forbids it.
  func permissionError(_ subject: String) -> MoontraceError {
    let lacking = ProcessCapability.lacking()
    if !lacking.isEmpty {
      return MoontraceError(
        .notPermitted, "\(subject): not permitted, with \(ProcessCapability.list(lacking)) missing",
        remedy: "run as root", detail: detail)
    }
    if let mode = KernelFeatures.lockdown {
      return MoontraceError(
        .notPermitted, "\(subject): not permitted by this kernel, which is locked down (lockdown=\(mode))",
        remedy: "boot with lockdown=none, or use a probe that lockdown allows, such as a tracepoint", detail: detail)
    }
    return MoontraceError(.notPermitted, "\(subject): not permitted: \(text)", remedy: "run as root", detail: detail)
  }
}

/// Runs a libbpf call that answers with a negative errno on failure.
@discardableResult
func checkLibbpf(_ body: () -> Int32) throws(KernelFailure) -> Int32 {
  let (result, lines) = LibbpfLog.capture(body)
  if result < 0 { throw KernelFailure(number: -result, lines: lines) }
  return result
}

/// Runs a libbpf call that answers with a pointer, or with NULL and errno.
func checkLibbpf(_ body: () -> OpaquePointer?) throws(KernelFailure) -> OpaquePointer {
  let (outcome, lines) = LibbpfLog.capture { () -> (pointer: OpaquePointer?, number: Int32) in
    errno = 0
    let pointer = body()
    return (pointer, errno)
  }
  guard let pointer = outcome.pointer else {
    throw KernelFailure(number: outcome.number == 0 ? EINVAL : outcome.number, lines: lines)
  }
  return pointer
}
