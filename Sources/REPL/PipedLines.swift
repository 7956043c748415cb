import Glibc
import Support
import Tracing

/// Lines from a pipe or a file: without prompts.
final class PipedLines: LineReader {
  private let session: InteractiveSession
  private let descriptor: Int32
  /// Regular files can't be waited for, and need not be.
  private let isPolled: Bool
  private var buffer: [UInt8] = []
  private var isAtEnd = false

  init(_ session: InteractiveSession, descriptor: Int32 = STDIN_FILENO) {
    self.session = session
    self.descriptor = descriptor
    isPolled = (try? session.listen(to: descriptor)) != nil
  }

  func next(prompt: String) -> InputLine {
    while true {
      if let line = takeLine() { return .text(line) }
      if isAtEnd { return .end }
      if isPolled, let end = wait() { return end }
      fill()
    }
  }

  /// nil when there is something to read.
  private func wait() -> InputLine? {
    do throws(MoontraceError) {
      switch try session.wait() {
      case .input, .resized, .resumed: return nil
      case .interrupted, .ended: return .over
      }
    } catch {
      session.report(error)
      return .over
    }
  }

  private func takeLine() -> String? {
    guard let end = buffer.firstIndex(of: UInt8(ascii: "\n")) ?? (isAtEnd && !buffer.isEmpty ? buffer.endIndex : nil)
    else { return nil }
    let line = String(decoding: buffer[..<end], as: UTF8.self)
    buffer.removeSubrange(..<min(end + 1, buffer.endIndex))
    return line
  }

  private func fill() {
    var bytes = [UInt8](repeating: 0, count: 64 * 1024)
    let count = read(descriptor, &bytes, bytes.count)
    if count > 0 {
      buffer += bytes[..<count]
    } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
      isAtEnd = true
    }
  }
}
