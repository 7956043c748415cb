import Glibc

/// A generator that makes the same numbers from the same seed (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  /// A new seed, or the one that `MOONTRACE_TEST_SEED` asks to repeat; printed, so that a failure can be.
  public static func seed(for test: String) -> UInt64 {
    let wanted = getenv("MOONTRACE_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = wanted ?? UInt64.random(in: 0...UInt64(UInt32.max))
    print("\(test): seed \(seed)")
    fflush(nil)  // a crash would take it along
    return seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
  }
}
