import EventStream

/// Steps of time since a run went live. When there get many, two become one, so that counts by step stay few however
/// long the run is.
struct TimeSteps {
  static let most = 600

  private(set) var start = EventLoop.now()
  /// Seconds of one step.
  private(set) var seconds = 1

  mutating func restart() { start = EventLoop.now() }

  /// Seconds since the start.
  var elapsed: Double { Double(EventLoop.now() - start) / 1e9 }

  /// The step of this moment.
  mutating func current() -> Int {
    let second = Int((EventLoop.now() - start) / 1_000_000_000)
    while second / seconds >= Self.most { seconds *= 2 }
    return second / seconds
  }
}

/// Counts by step of time.
struct StepCounts {
  private(set) var counts: [Int64] = []
  /// Seconds of one step, when something was counted last.
  private var seconds = 1

  mutating func add(_ count: Int64, at step: Int, seconds: Int) {
    fold(to: seconds)
    if step >= counts.count { counts += Array(repeating: 0, count: step + 1 - counts.count) }
    counts[step] += count
  }

  /// The counts by steps of so many seconds, at least as long as they were.
  func folded(to seconds: Int) -> [Int64] {
    var copy = self
    copy.fold(to: seconds)
    return copy.counts
  }

  private mutating func fold(to wanted: Int) {
    while seconds < wanted {
      counts = stride(from: 0, to: counts.count, by: 2).map { counts[$0...].prefix(2).reduce(0, +) }
      seconds *= 2
    }
  }
}
