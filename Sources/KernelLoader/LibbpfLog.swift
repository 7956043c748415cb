import CLibbpf
import Glibc
import Synchronization

/// What libbpf says while it works, kept from the terminal and gathered for error messages.
///
/// libbpf knows one print callback a process, so this is process-wide state. Lines are kept per thread: two threads
/// that load objects at the same time don't see each other's.
enum LibbpfLog {
  /// Lines by `pthread_self()` of the threads that are inside `capture`.
  private static let lines = Mutex<[UInt: [String]]>([:])

  private static let install: Void = {
    libbpf_set_print { level, format, arguments in
      guard level != LIBBPF_DEBUG, let format, let arguments else { return 0 }
      LibbpfLog.append(format, arguments)
      return 0
    }
  }()

  /// Runs a libbpf call and answers with its result and the warnings it printed meanwhile, in order.
  static func capture<Result>(_ body: () -> Result) -> (result: Result, lines: [String]) {
    _ = install
    let thread = pthread_self()
    lines.withLock { $0[thread] = [] }
    let result = body()
    return (result, lines.withLock { $0.removeValue(forKey: thread) ?? [] })
  }

  private static func append(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) {
    guard let text = mt_format(format, arguments) else { return }
    defer { free(text) }
    let message = String(cString: text)
    lines.withLock { $0[pthread_self()]?.append(message) }
  }
}
