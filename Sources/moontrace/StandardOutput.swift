import Glibc
import Support

/// Writes data to stdout. That the reader goes away, as `head` does, is no error.
func printToStandardOutput(_ text: String) throws(MoontraceError) {
  signal(SIGPIPE, SIG_IGN)
  do throws(SystemError) {
    try writeAll(STDOUT_FILENO, Array(text.utf8), name: "stdout")
  } catch {
    if error.errno != EPIPE { throw MoontraceError(.scriptFailed, "\(error)") }
  }
}
