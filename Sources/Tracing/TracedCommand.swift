import CEventCore
import Glibc
import Support

/// The command of `--command`: started once probes are live; the trace ends with it, and it with the trace.
struct TracedCommand {
  let pid: pid_t

  /// Starts `text` through the shell.
  init(_ text: String) throws(MoontraceError) {
    do throws(SystemError) {
      pid = try Subprocess("/bin/sh", ["-c", text]).pid
    } catch {
      throw MoontraceError(.scriptFailed, "--command: \(error)")
    }
  }

  /// Ends the command if it still runs (SIGTERM, and SIGKILL after a second), and reaps it.
  func stop() {
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == 0 else { return }
    kill(pid, SIGTERM)
    if !endsWithinASecond { kill(pid, SIGKILL) }
    waitpid(pid, &status, 0)
  }

  private var endsWithinASecond: Bool {
    let descriptor = pidfd_open(pid, 0)
    guard descriptor >= 0 else { return false }
    let process = OwnedDescriptor(descriptor)
    var entry = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 1000) == 1
  }
}
