import Glibc
import Support

/// The two ends of a pipe, closed at the latest when dropped.
final class Pipe {
  let reading: Int32
  private(set) var writing: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    try check("pipe") { pipe(&ends) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (ends[0], ends[1])
  }

  func send(_ count: Int = 1) {
    _ = write(writing, [UInt8](repeating: 1, count: count), count)
  }

  /// Reads at most `limit` bytes.
  func receive(_ limit: Int = 64) -> Int {
    var bytes = [UInt8](repeating: 0, count: limit)
    return read(reading, &bytes, limit)
  }

  /// How many bytes wait.
  var waiting: Int32 {
    var count: Int32 = 0
    return ioctl(reading, UInt(FIONREAD), &count) == 0 ? count : -1
  }

  func closeWriting() {
    if writing >= 0 { close(writing) }
    writing = -1
  }

  deinit {
    close(reading)
    closeWriting()
  }
}

/// A file without a name, gone with its descriptor.
func temporaryFile() throws -> OwnedDescriptor {
  var path = Array("/tmp/moontrace-test-XXXXXX".utf8CString)
  let descriptor = try check("mkstemp") { mkstemp(&path) }
  unlink(path)
  return OwnedDescriptor(descriptor)
}
