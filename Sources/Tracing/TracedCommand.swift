import CEventCore
import Glibc
import Support

/// The command of `--command`: started once probes are live; the trace ends with it, and it with the trace.
struct TracedCommand {
  let pid: pid_t

  /// Starts `text` through the shell.
  ///
  /// - Parameter isSilent: what it prints goes nowhere, and it reads nothing: a live view has the terminal.
  init(_ text: String, isSilent: Bool = false) throws(MoontraceError) {
    do throws(SystemError) {
      guard isSilent else {
        pid = try Subprocess("/bin/sh", ["-c", text]).pid
        return
      }
      let nowhere = OwnedDescriptor(try check("open /dev/null") { open("/dev/null", O_RDWR | O_CLOEXEC) })
      let descriptors: [Int32: Int32] = [0: nowhere.number, 1: nowhere.number, 2: nowhere.number]
      pid = try Subprocess("/bin/sh", ["-c", text], descriptors: descriptors).pid
    } catch {
      throw MoontraceError(.scriptFailed, "--command: \(error)")
    }
  }

  /// Ends the command if it still runs, with what it started (SIGTERM, and SIGKILL after a second), and reaps it.
  func stop() {
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == 0 else { return }
    let family = [pid] + Self.descendants(of: pid)
    for member in family { kill(member, SIGTERM) }
    if !endsWithinASecond {
      for member in family { kill(member, SIGKILL) }
    }
    waitpid(pid, &status, 0)
  }

  /// The shell forks for all but the simplest commands; a signal to it alone would leave the rest running.
  private static func descendants(of pid: pid_t) -> [pid_t] {
    guard let bytes = try? readFile("/proc/\(pid)/task/\(pid)/children") else { return [] }
    let children = String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    return children + children.flatMap(descendants)
  }

  private var endsWithinASecond: Bool {
    let descriptor = pidfd_open(pid, 0)
    guard descriptor >= 0 else { return false }
    let process = OwnedDescriptor(descriptor)
    var entry = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 1000) == 1
  }
}
