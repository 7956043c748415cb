import CEventCore
import Glibc
import Support

/// A loop's wait for the end of one process, which need not be a child.
public final class ExitWatch {
  private weak var loop: EventLoop?
  private let descriptor: Int32
  private var isOpen = true

  fileprivate init(loop: EventLoop, descriptor: Int32) {
    self.loop = loop
    self.descriptor = descriptor
  }

  /// Ends the wait without calling its handler.
  public func cancel() {
    guard isOpen else { return }
    isOpen = false
    loop?.remove(descriptor: descriptor)
    close(descriptor)
  }

  deinit {
    cancel()
  }
}

extension EventLoop {
  /// Calls `handler` once when process `pid` ends; a child is then still there to be waited for. Fails when there is
  /// no such process.
  ///
  /// ```swift
  /// try loop.watchExit(pid: 1234) { loop.stop() }
  /// ```
  @discardableResult
  public func watchExit(pid: Int32, handler: @escaping Action) throws(MoontraceError) -> ExitWatch {
    let descriptor = pidfd_open(pid, 0)
    guard descriptor >= 0 else { throw Self.watchFailure(pid: pid, errno) }
    let watch = ExitWatch(loop: self, descriptor: descriptor)
    // The closure keeps the watch alive until the process ends, the wait is cancelled, or the loop goes.
    try add(descriptor: descriptor) { () throws(MoontraceError) in
      watch.cancel()
      try handler()
    }
    return watch
  }

  private static func watchFailure(pid: Int32, _ number: Int32) -> MoontraceError {
    switch number {
    case ESRCH: MoontraceError(.usage, "there is no process \(pid)", remedy: "give the ID of a running process")
    case EINVAL: MoontraceError(.usage, "\(pid) is not the ID of a process", remedy: "give a thread group's ID")
    default: MoontraceError("process \(pid): pidfd_open", number)
    }
  }
}
