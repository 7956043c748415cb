import Glibc
import Support

/// The user's cache directory: what is costly to make and can always be made again.
struct Cache {
  /// `$XDG_CACHE_HOME/moontrace`, or `~/.cache/moontrace`.
  let directory: String

  /// Makes the directory. Throws when there is no place that this user may write, and when others may write there too:
  /// what is cached runs in the kernel.
  init() throws(MoontraceError) {
    directory = "\(environment("XDG_CACHE_HOME") ?? "\(Self.home)/.cache")/moontrace"
    try makeDirectory("")
    var about = stat()
    guard lstat(directory, &about) == 0, about.st_uid == geteuid(), about.st_mode & 0o022 == 0 else {
      throw MoontraceError(
        .scriptFailed, "the cache directory \(directory) can be written by others than you",
        remedy: "remove it, or set XDG_CACHE_HOME to a directory of your own")
    }
  }

  private static var home: String {
    if let home = environment("HOME") { return home }
    return getpwuid(geteuid())?.pointee.pw_dir.map { String(cString: $0) } ?? ""
  }

  /// A path inside the cache.
  func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// Makes a directory inside the cache, with those above it.
  func makeDirectory(_ name: String) throws(MoontraceError) {
    var partial = ""
    for part in "\(directory)/\(name)".split(separator: "/") {
      partial += "/\(part)"
      if mkdir(partial, 0o755) != 0, errno != EEXIST {
        throw MoontraceError(
          .scriptFailed, "can't make the cache directory \(partial): \(errnoText(errno))",
          remedy: "set XDG_CACHE_HOME to a directory that you may write")
      }
    }
  }

  /// Writes a file of the cache whole or not at all.
  func write(_ name: String, _ bytes: [UInt8]) throws(MoontraceError) {
    do throws(SystemError) {
      try writeFile(path(name), bytes)
    } catch {
      throw MoontraceError(.scriptFailed, "can't write to the cache: \(error)")
    }
  }
}

/// FNV-1a, 64 bits: names cache entries, whose inputs are then compared in full.
func fingerprint(_ bytes: some Sequence<UInt8>) -> String {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  let text = String(hash, radix: 16)
  return String(repeating: "0", count: 16 - text.utf8.count) + text
}
