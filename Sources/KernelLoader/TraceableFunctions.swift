import Glibc
import Support

/// The kernel functions whose entry and exit can be traced, from tracefs; modules' functions are among them.
enum TraceableFunctions {
  /// The names that match a pattern with `*` and `?`, each once.
  static func matching(_ pattern: String) throws(MoontraceError) -> [String] {
    let path = "\(try Tracefs.directory())/available_filter_functions"
    do throws(SystemError) {
      return names(in: try readFile(path), matching: pattern)
    } catch {
      throw MoontraceError(.unsupported, "the functions that can be traced are not to be had: \(error)")
    }
  }

  /// Lines of `name` or `name [module]`; ftrace's stand-ins for functions that are gone are left out.
  private static func names(in bytes: [UInt8], matching pattern: String) -> [String] {
    var found: Set<String> = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let name = String(decoding: line.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
      if fnmatch(pattern, name, 0) == 0, !name.hasPrefix("__ftrace_invalid_address___") { found.insert(name) }
    }
    return found.sorted()
  }
}
