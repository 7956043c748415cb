import Glibc
import Support
import Synchronization

/// A directory for a test's files, removed with all that is in it when the value goes.
public final class TemporaryDirectory: Sendable {
  /// Its path.
  public let name: String

  public init() throws {
    var template = Array("/tmp/moontrace-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("make a temporary directory", errno: errno) }
    name = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    _ = try? Subprocess("/bin/rm", ["-rf", name]).wait()
  }

  /// The path of a file in it.
  public func path(_ file: String) -> String { "\(name)/\(file)" }

  /// Writes a file into the directory; its path.
  public func write(_ file: String, _ text: String) throws -> String {
    try writeFile(path(file), Array(text.utf8))
    return path(file)
  }

  /// Writes a program into the directory, by way of another process: while a child that another test starts holds a copy
  /// of the descriptor it was written by, the kernel runs no program (ETXTBSY).
  public func writeProgram(_ file: String, _ text: String) throws -> String {
    let draft = try write("\(file).draft", text)
    defer { unlink(draft) }
    let status = try Subprocess("install", ["-m", "755", draft, path(file)]).wait()
    guard status == 0 else { throw SystemError("install \(path(file))", errno: EIO) }
    return path(file)
  }

  private static let kept = Mutex<[TemporaryDirectory]>([])

  /// The path of a new directory that is removed when the process ends: for what several tests use. Where none can be
  /// made it is a path that is not there, and the first to write there is told so.
  public static func untilExit() -> String {
    guard let directory = try? TemporaryDirectory() else { return "/nowhere/moontrace-test" }
    kept.withLock {
      if $0.isEmpty { atexit { TemporaryDirectory.kept.withLock { $0 = [] } } }
      $0.append(directory)
    }
    return directory.name
  }
}
