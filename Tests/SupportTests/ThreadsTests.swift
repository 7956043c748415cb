import Glibc
import Support
import Synchronization
import Testing

@_silgen_name("gettid") private func threadNumber() -> Int32

struct ThreadsTests {
  @Test func resultsComeInTheItemsOrder() {
    let numbers = Array(0..<100)
    #expect(concurrently(numbers) { $0 * 2 } == numbers.map { $0 * 2 })
    #expect(concurrently([Int]()) { $0 }.isEmpty)
  }

  /// Each waits until all have begun, which they can only together.
  @Test func itemsRunAtTheSameTimeEachOnItsOwnThread() {
    let begun = Shared()
    let threads = concurrently(Array(0..<8)) { _ in
      begun.count.withLock { $0 += 1 }
      while begun.count.withLock({ $0 }) < 8 { usleep(100) }
      return threadNumber()
    }
    #expect(Set(threads).count == 8)
    #expect(!threads.contains(threadNumber()))
  }

  private final class Shared: Sendable {
    let count = Mutex(0)
  }
}
