import Glibc
import Support
import Synchronization

/// Files that a compiler reads and writes, in the cache directory; removed with their owner.
final class ScratchFiles {
  private let base: String
  private var names: Set<String> = []
  /// Several compilers may work in one process.
  private static let count = Atomic(0)

  init(_ cache: Cache) {
    base = cache.path("building-\(getpid())-\(Self.count.add(1, ordering: .relaxed).newValue)")
  }

  deinit {
    for name in names { unlink("\(base).\(name)") }
  }

  /// The path of a file, by the ending of its name.
  func path(_ ending: String) -> String {
    names.insert(ending)
    return "\(base).\(ending)"
  }

  func write(_ ending: String, _ bytes: [UInt8]) throws(MoontraceError) {
    do throws(SystemError) {
      try writeFile(path(ending), bytes)
    } catch {
      throw MoontraceError(.scriptFailed, "can't write to the cache: \(error)")
    }
  }

  func read(_ ending: String) throws(MoontraceError) -> [UInt8] {
    do throws(SystemError) {
      return try readFile(path(ending))
    } catch {
      throw MoontraceError(.scriptFailed, "clang left nothing: \(error)")
    }
  }
}
