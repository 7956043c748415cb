import Glibc

/// Where files could appear that a compiler would then find before those that it included.
///
/// A file's path is a directory, `/`, and its name as `#include` has it, which may have slashes too; so each way to part
/// the path may be that. In the other directories no file of that name may come up: those of the command line, and those
/// of files that include others.
struct IncludeSearch {
  /// Paths at which there is nothing.
  private(set) var absent: [String] = []

  /// - Parameters:
  ///   - directories: of `-I`.
  ///   - included: the program and all that it includes, as clang calls them.
  init(_ directories: [String], _ included: [String]) {
    let searched = Self.unique(directories + included.filter(Self.isOwn).map(Self.directory) + ["/usr/local/include"])
    for path in Self.unique(included.dropFirst().flatMap { Self.paths(of: $0, in: searched) })
    where access(path, F_OK) != 0 { absent.append(path) }
  }

  private static func unique(_ paths: [String]) -> [String] {
    var seen: Set<String> = []
    return paths.filter { seen.insert($0).inserted }
  }

  /// Whether the files beside it are a programmer's: not the system's, or the compiler's.
  private static func isOwn(_ path: String) -> Bool { !path.hasPrefix("/usr/") && !path.contains("/lib/clang/") }

  private static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  private static func paths(of file: String, in directories: [String]) -> [String] {
    let parts = file.split(separator: "/")
    return parts.indices.flatMap { start in
      let name = parts[start...].joined(separator: "/")
      return directories.map { "\($0)/\(name)" }
    }
  }
}
