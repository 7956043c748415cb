import Glibc
import Support

/// The kernel's tracing file system, where tracepoints have their names and numbers.
public enum Tracefs {
  private static let candidates = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]

  /// Where tracefs is mounted. Mounts it at /sys/kernel/tracing when it is not (it stays mounted, as systemd does it).
  ///
  /// - Throws: `.notPermitted` when it is not mounted and this process may not mount it, or may not look into it.
  public static func directory() throws(MoontraceError) -> String {
    let directory: String
    if let mounted { directory = mounted } else { directory = try mountedNow() }
    if access(directory + "/events", R_OK | X_OK) == 0 { return directory }
    throw MoontraceError(
      .notPermitted, "can't read \(directory)/events: \(errnoText(errno))",
      remedy: errno == EACCES
        ? "run as root, or: mount -o remount,mode=755 \(directory)" : "mount -t tracefs tracefs \(directory)")
  }

  private static func mountedNow() throws(MoontraceError) -> String {
    if mount("tracefs", candidates[0], "tracefs", 0, nil) == 0 || errno == EBUSY { return candidates[0] }
    throw MoontraceError(
      .notPermitted, "tracefs is not mounted and can't be mounted at \(candidates[0]): \(errnoText(errno))",
      remedy: "run as root, or: mount -t tracefs tracefs \(candidates[0])")
  }

  /// Where it is mounted already, which needs no rights to find out; nil when it is not.
  static var mounted: String? {
    if let readable = candidates.first(where: { KernelFeatures.exists($0 + "/events") }) { return readable }
    let mounts = Mounts.now()
    return candidates.first { mounts.contains("tracefs", at: $0) }
  }

  /// The categories of tracepoints: `sched`, `syscalls`, …
  public static func categories() throws(MoontraceError) -> [String] {
    directoryEntries(try directory() + "/events", directories: true)
  }

  /// The tracepoints of a category; empty when there is no such category.
  public static func events(in category: String) throws(MoontraceError) -> [String] {
    category.contains("/") ? [] : directoryEntries(try directory() + "/events/\(category)", directories: true)
  }

  /// All tracepoints as `category:event`, sorted. One file has them all, which is many times faster than to look into
  /// each category.
  public static func events() throws(MoontraceError) -> [String] {
    let path = try directory() + "/available_events"
    do throws(SystemError) {
      return try readFile(path).split(separator: UInt8(ascii: "\n"))
        .map { String(decoding: $0, as: UTF8.self) }.sorted()
    } catch {
      throw MoontraceError(.notPermitted, "can't read \(path): \(errnoText(error.errno))", remedy: "run as root")
    }
  }

  /// What a tracepoint's event holds, in the kernel's words (`format` in Documentation/trace/events.rst).
  ///
  /// - Throws: `.unsupported` with a suggestion when there is no such tracepoint.
  public static func format(_ category: String, _ name: String) throws(MoontraceError) -> String {
    guard !category.contains("/"), !name.contains("/"), try has(category, name) else {
      throw try missing(category, name)
    }
    let path = try directory() + "/events/\(category)/\(name)/format"
    do throws(SystemError) {
      return String(decoding: try readFile(path), as: UTF8.self)
    } catch {
      throw MoontraceError(.notPermitted, "can't read \(path): \(errnoText(error.errno))", remedy: "run as root")
    }
  }

  /// The error for a tracepoint that is not there.
  static func missing(_ category: String, _ name: String) throws(MoontraceError) -> MoontraceError {
    let events = try events(in: category)
    if !events.isEmpty {
      let hint = suggestionHint(for: name, in: events)
      return MoontraceError(.unsupported, "this kernel has no tracepoint \(category):\(name)\(hint)")
    }
    let hint = suggestionHint(for: category, in: try categories())
    return MoontraceError(.unsupported, "this kernel has no tracepoint category '\(category)'\(hint)")
  }

  static func has(_ category: String, _ name: String) throws(MoontraceError) -> Bool {
    KernelFeatures.exists(try directory() + "/events/\(category)/\(name)/id")
  }
}
