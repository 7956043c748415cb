import Glibc
import RandomTestSupport
import Testing

/// Many cases of one kind of bad input: how many there are, and what is asked of each.
///
/// `MOONTRACE_TEST_CASES=200000` tries that many of each kind (`scripts/test --fuzz`), `MOONTRACE_TEST_SEED` repeats a
/// run.
enum FuzzRun {
  /// How many cases of each kind a run tries.
  static let count = getenv("MOONTRACE_TEST_CASES").flatMap { Int(String(cString: $0)) } ?? 500
  /// A case that takes longer hangs for those who meet it.
  private static let maximumSeconds = 5.0
  /// KiB of memory that all tests of a run together may take.
  private static let maximumMemory = 2 << 20

  /// Runs cases; `body` gives whether its input was accepted.
  ///
  /// - Parameter atLeast: per cent of the cases that are accepted; when all are refused, the readers' depths are not
  ///   reached.
  static func cases(_ kind: String, atLeast percent: Int, _ body: (UInt64) throws -> Bool) rethrows {
    let seed = SeededGenerator.seed(for: "bad input, \(kind)")
    var accepted = 0
    for number in 0..<UInt64(count) {
      let start = now()
      if try body(seed &+ number) { accepted += 1 }
      let seconds = now() - start
      #expect(seconds < maximumSeconds, "\(kind), seed \(seed &+ number): \(seconds) s")
    }
    print("bad input, \(kind): \(count) cases, \(accepted) accepted")
    #expect(accepted * 100 >= count * percent)
    #expect(accepted < count)
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #expect(usage.ru_maxrss < maximumMemory, "\(kind): \(usage.ru_maxrss >> 10) MiB")
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
