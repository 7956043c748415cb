import Glibc

/// The user's cache directory: what is costly to make and can always be made again.
public struct Cache: Sendable {
  /// `$XDG_CACHE_HOME/moontrace`, or `~/.cache/moontrace`.
  public let directory: String

  /// Makes the directory. Throws when there is no place that this user may write, and when others may write there too:
  /// what is cached runs in the kernel.
  public init() throws(MoontraceError) {
    directory = "\(environment("XDG_CACHE_HOME") ?? "\(homeDirectory)/.cache")/moontrace"
    try makeDirectory("")
    var about = stat()
    guard lstat(directory, &about) == 0, about.st_uid == geteuid(), about.st_mode & 0o022 == 0 else {
      throw MoontraceError(
        .scriptFailed, "the cache directory \(directory) can be written by others than you",
        remedy: "remove it, or set XDG_CACHE_HOME to a directory of your own")
    }
  }

  /// A path inside the cache.
  public func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// Makes a directory inside the cache, with those above it.
  public func makeDirectory(_ name: String) throws(MoontraceError) {
    do throws(SystemError) {
      try makeDirectories("\(directory)/\(name)")
    } catch {
      throw MoontraceError(
        .scriptFailed, "can't \(error.call) of the cache: \(errnoText(error.errno))",
        remedy: "set XDG_CACHE_HOME to a directory that you may write")
    }
  }

  /// Writes a file of the cache whole or not at all.
  public func write(_ name: String, _ bytes: [UInt8]) throws(MoontraceError) {
    do throws(SystemError) {
      try writeFile(path(name), bytes)
    } catch {
      throw MoontraceError(.scriptFailed, "can't write to the cache: \(error)")
    }
  }
}
