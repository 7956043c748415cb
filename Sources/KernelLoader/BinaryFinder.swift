import Glibc
import Support

/// Finds the file behind the binary part of a uprobe or USDT SPEC.
public enum BinaryFinder {
  /// The absolute path of an executable (`bash`, by PATH) or library (`libc`, `libc.so.6`, by the loader's cache and
  /// usual directories); a text with a slash is a path already.
  ///
  /// - Throws: `.usage` when there is no such file.
  public static func path(of binary: String) throws(MoontraceError) -> String {
    if binary.contains("/") {
      if isFile(binary) { return absolute(binary) }
      throw MoontraceError(.usage, "there is no file '\(binary)' to attach to")
    }
    if let path = executable(binary) ?? library(binary) { return absolute(path) }
    throw MoontraceError(
      .usage, "no program on PATH and no library is called '\(binary)'", remedy: "give the file's whole path")
  }

  /// The files that a path with `*` in it matches, sorted, or the one that `path(of:)` finds.
  ///
  /// - Throws: `.usage` when there are none.
  public static func paths(matching pattern: String) throws(MoontraceError) -> [String] {
    guard pattern.utf8.contains(UInt8(ascii: "*")) else { return [try path(of: pattern)] }
    var found = glob_t()
    defer { globfree(&found) }
    var paths: [String] = []
    if pattern.contains("/"), glob(pattern, 0, nil, &found) == 0 {
      for index in 0..<Int(found.gl_pathc) {
        if let path = found.gl_pathv[index].map({ String(cString: $0) }), isFile(path) { paths.append(absolute(path)) }
      }
    }
    if paths.isEmpty { throw MoontraceError(.usage, "no file matches '\(pattern)'", remedy: "give a whole path") }
    return Set(paths).sorted()
  }

  private static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  static func isFile(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
  }

  private static func executable(_ name: String) -> String? {
    let candidates = searchPath.map { "\($0)/\(name)" }
    return candidates.first { isFile($0) && access($0, X_OK) == 0 }
  }

  static var searchPath: [String] {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return path.split(separator: ":").map(String.init)
  }

  private static func library(_ name: String) -> String? {
    let cached = cachedLibraries()
    if let path = cached.first(where: { matches(fileName($0), name) }) { return path }
    for directory in libraryDirectories {
      for suffix in ["", ".so", ".so.6", ".so.1", ".so.0"] where isFile("\(directory)/\(name)\(suffix)") {
        return "\(directory)/\(name)\(suffix)"
      }
    }
    return nil
  }

  private static let libraryDirectories = [
    "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
  ]

  static func fileName(_ path: String) -> Substring {
    path.split(separator: "/").last ?? ""
  }

  /// `libc` matches `libc.so.6`, and a whole file name itself.
  private static func matches(_ file: Substring, _ name: String) -> Bool {
    file == name || file.hasPrefix(name + ".so")
  }

  /// The paths that /etc/ld.so.cache holds: NUL-terminated texts behind its tables (glibc's dl-cache.h). The tables
  /// are not needed: every text that is a path of a library is one.
  static func cachedLibraries() -> [String] {
    guard let bytes = try? readFile("/etc/ld.so.cache") else { return [] }
    return bytes.split(separator: 0).filter { $0.first == UInt8(ascii: "/") }
      .map { String(decoding: $0, as: UTF8.self) }.filter { $0.contains(".so") && isFile($0) }
  }
}
