import CEventCore
import Glibc
import Support

/// Where a session's data goes: the buffered text output in front of stdout or a file.
final class Output {
  /// Stays at this address for the life of the session; the Lua runtime writes through it too.
  let buffer: UnsafeMutablePointer<mt_output>
  private let descriptor: Int32
  private let ownsDescriptor: Bool

  /// Opens `path`, or stdout. Throws a usage error when the file can't be made.
  init(path: String?) throws(MoontraceError) {
    if let path {
      descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        throw MoontraceError(.usage, "can't write to \(path): \(errnoText(errno))")
      }
    } else {
      descriptor = STDOUT_FILENO
    }
    ownsDescriptor = path != nil
    buffer = .allocate(capacity: 1)
    guard mt_output_open(buffer, descriptor) else {
      throw MoontraceError(.scriptFailed, "no memory for the output buffer")
    }
  }

  deinit {
    mt_output_close(buffer)
    buffer.deallocate()
    if ownsDescriptor { close(descriptor) }
  }

  func write(_ text: String) {
    var text = text
    text.withUTF8 { mt_output_append(buffer, $0.baseAddress, $0.count) }
  }

  /// Writes out what is buffered. False once the reader has gone or the disk is full.
  @discardableResult
  func flush() -> Bool { mt_output_flush(buffer) }

  /// Lets a descriptor that becomes readable end a write to a reader that has stalled; nil takes it back.
  func interrupt(by descriptor: Int32?) {
    mt_output_interrupt_by(buffer, descriptor ?? -1)
  }

  /// The first failed write other than a reader that went away (`| head -1` is no error) or stalled until Ctrl-C.
  var failure: MoontraceError? {
    let number = buffer.pointee.error
    return [0, EPIPE, ECANCELED].contains(number)
      ? nil : MoontraceError(.scriptFailed, "writing output: \(errnoText(number))")
  }

  var hasFailed: Bool { buffer.pointee.error != 0 }
}
