/// Tells of lost events: at most once a second while it goes on, and in total at the end.
struct LossReporter {
  private var told: UInt64 = 0

  /// `lost` is the total so far. A line for stderr and the number of new losses, when there are any.
  mutating func news(of lost: UInt64) -> (text: String, count: UInt64)? {
    guard lost > told else { return nil }
    let count = lost - told
    told = lost
    return (Self.sentence(count), count)
  }

  /// The total, for the end of the run.
  static func summary(lost: UInt64, delivered: UInt64) -> String? {
    lost == 0 ? nil : "lost \(lost) of \(lost + delivered) events in all: \(remedy)"
  }

  private static func sentence(_ count: UInt64) -> String {
    "lost \(count) \(count == 1 ? "event" : "events"): \(remedy)"
  }

  private static let remedy = "a buffer was full; give a larger --buffer, or send less from the kernel"
}
