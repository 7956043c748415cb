import Glibc

/// The user's cache directory: what is costly to make and can always be made again.
public struct Cache: Sendable {
  /// `$XDG_CACHE_HOME/moontrace`, or `~/.cache/moontrace`; one that goes away with the cache where that can't be used.
  public let directory: String
  /// Why nothing is kept; nil where something is.
  public private(set) var refusal: MoontraceError?
  private let temporary: PassingDirectory?

  /// Makes the directory. Throws when there is no place that this user may write, and when others may write there too:
  /// what is cached runs in the kernel.
  public init() throws(MoontraceError) {
    // Paths from elsewhere than the root are to be ignored (XDG Base Directory Specification).
    let wanted = environment("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
    directory = "\(wanted ?? "\(homeDirectory)/.cache")/moontrace"
    temporary = nil
    try makeDirectory("")
    var about = stat()
    guard lstat(directory, &about) == 0, about.st_uid == geteuid(), about.st_mode & 0o022 == 0 else {
      throw MoontraceError(
        .scriptFailed, "the cache directory \(directory) can be written by others than you",
        remedy: "remove it, or set XDG_CACHE_HOME to a directory of your own")
    }
    guard access(directory, W_OK) == 0 else {
      throw MoontraceError(
        .scriptFailed, "the cache directory \(directory) can't be written: \(errnoText(errno))", remedy: Self.remedy)
    }
  }

  private init(temporary: PassingDirectory, refusal: MoontraceError) {
    directory = temporary.path
    self.temporary = temporary
    self.refusal = refusal
  }

  /// The user's, or where that can't be used one for this once, with the reason as its `refusal`.
  ///
  /// - Throws: `.scriptFailed` when not even a temporary directory can be made.
  public static func orTemporary() throws(MoontraceError) -> Cache {
    do throws(MoontraceError) {
      return try Cache()
    } catch {
      var refusal = error
      refusal.message += "; what is compiled is not kept"
      return Cache(temporary: try PassingDirectory(), refusal: refusal)
    }
  }

  private static let remedy = "set XDG_CACHE_HOME to a directory that you may write"

  /// A path inside the cache.
  public func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// Makes a directory inside the cache, with those above it.
  public func makeDirectory(_ name: String) throws(MoontraceError) {
    do throws(SystemError) {
      try makeDirectories("\(directory)/\(name)")
    } catch {
      throw MoontraceError(
        .scriptFailed, "can't \(error.call) of the cache: \(errnoText(error.errno))", remedy: Self.remedy)
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

  // MARK: Age

  /// 30 days, in seconds.
  private static let lifetime = 30 * 24 * 3600

  /// Notes that an entry was of use, so that it stays.
  public func touch(_ name: String) {
    utimensat(AT_FDCWD, path(name), nil, 0)
  }

  /// How the names of directories begin that compilers work in.
  public static let scratchPrefix = "building-"

  /// Removes the files of a directory that were neither made nor touched for 30 days, and what compilers left behind that
  /// were killed. Another process that is about to read one of them makes it anew.
  public func prune(_ name: String) {
    for entry in directoryEntries(path(name)) where Self.isOld("\(path(name))/\(entry)") {
      unlink("\(path(name))/\(entry)")
    }
    for entry in directoryEntries(directory, directories: true)
    where entry.hasPrefix(Self.scratchPrefix) && Self.isOld(path(entry)) {
      removeTree(path(entry))
    }
  }

  private static func isOld(_ path: String) -> Bool {
    var about = stat()
    return lstat(path, &about) == 0 && about.st_mtim.tv_sec < time(nil) - lifetime
  }
}

/// A directory that is removed with its owner.
private final class PassingDirectory: Sendable {
  let path: String

  init() throws(MoontraceError) {
    var template = Array("\(environment("TMPDIR") ?? "/tmp")/moontrace-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw MoontraceError(
        .scriptFailed, "can't make a temporary directory: \(errnoText(errno))",
        remedy: "set XDG_CACHE_HOME or TMPDIR to a directory that you may write")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    removeTree(path)
  }
}
