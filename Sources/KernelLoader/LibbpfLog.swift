import CLibbpf
import Glibc

/// What libbpf says while it works, kept from the terminal and gathered for error messages.
///
/// libbpf knows one print callback a process, and calls it on the thread that called libbpf. So the lines are the
/// thread's: two threads that load objects at the same time don't see each other's.
enum LibbpfLog {
  private final class Lines {
    var texts: [String] = []
  }

  /// The thread's `Lines` while it is inside `capture`, unretained.
  private static let current: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  private static let install: Void = {
    libbpf_set_print { level, format, arguments in
      // What it tells for information (sections that it passes over) is no cause of a failure.
      guard level == LIBBPF_WARN, let format, let arguments else { return 0 }
      LibbpfLog.append(format, arguments)
      return 0
    }
  }()

  /// Runs a libbpf call and answers with its result and the warnings it printed meanwhile, in order.
  static func capture<Result>(_ body: () -> Result) -> (result: Result, lines: [String]) {
    _ = install
    let lines = Lines()
    let outer = pthread_getspecific(current)
    pthread_setspecific(current, Unmanaged.passUnretained(lines).toOpaque())
    let result = body()
    pthread_setspecific(current, outer)
    return (result, withExtendedLifetime(lines) { lines.texts })
  }

  private static func append(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) {
    guard let place = pthread_getspecific(current), let text = mt_format(format, arguments) else { return }
    defer { free(text) }
    Unmanaged<Lines>.fromOpaque(place).takeUnretainedValue().texts.append(String(cString: text))
  }
}
