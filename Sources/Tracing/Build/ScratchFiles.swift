import Glibc
import Support
import Synchronization

/// Files that a compiler reads and writes, in a directory of the cache; removed with their owner.
final class ScratchFiles {
  private let base: String
  /// Kept, for one that is not the user's goes away with its last owner.
  private let cache: Cache
  /// Several compilers may work in one process.
  private static let count = Atomic(0)

  init(_ cache: Cache) {
    self.cache = cache
    base = cache.path("\(Cache.scratchPrefix)\(getpid())-\(Self.count.add(1, ordering: .relaxed).newValue)")
    // What can't be made is told by who writes there.
    mkdir(base, 0o700)
  }

  deinit {
    removeTree(base)
  }

  /// The path of a file, by the ending of its name. The name is always the same, for it gets into objects.
  func path(_ ending: String) -> String { "\(base)/program.\(ending)" }

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
