/// How far a run has come, for the status line and for the live view's first line.
struct RunProgress {
  var events: UInt64
  var lost: UInt64
  /// Nanoseconds since the probes went live.
  var elapsed: UInt64
  /// Seconds after which the run ends by itself.
  var duration: Double?
  /// Whether the run has events at all; others count in the kernel.
  var hasEvents: Bool
}

/// The progress as words, with the rate since it was told before.
struct ProgressText {
  private var lastEvents: UInt64 = 0
  private var lastElapsed: UInt64 = 0

  /// `12,345 events  1,234/s  0 lost  0:10`; without events `tracing  0:10`.
  mutating func text(_ progress: RunProgress) -> String {
    var parts = ["tracing"]
    if progress.hasEvents {
      parts = [
        grouped(progress.events) + (progress.events == 1 ? " event" : " events"), grouped(rate(progress)) + "/s",
        grouped(progress.lost) + " lost",
      ]
    } else if progress.lost > 0 {
      parts.append(grouped(progress.lost) + " lost")
    }
    (lastEvents, lastElapsed) = (progress.events, progress.elapsed)
    let end = progress.duration.map { " of " + clock(UInt64($0.rounded(.up))) } ?? ""
    return (parts + [clock(progress.elapsed / 1_000_000_000) + end]).joined(separator: "  ")
  }

  private func rate(_ progress: RunProgress) -> UInt64 {
    let time = progress.elapsed - lastElapsed
    guard time > 0 else { return 0 }
    return UInt64((Double(progress.events - lastEvents) * 1e9 / Double(time)).rounded())
  }
}

/// Digits in groups of three: `1,234,567`.
func grouped(_ number: UInt64) -> String {
  let digits = Array(String(number))
  return digits.indices.reduce(into: "") { text, index in
    if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
    text.append(digits[index])
  }
}

/// Seconds as `1:02`, or `1:00:02` from an hour on.
func clock(_ seconds: UInt64) -> String {
  func two(_ number: UInt64) -> String { (number < 10 ? "0" : "") + String(number) }
  let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
  return (hours > 0 ? "\(hours):\(two(minutes))" : "\(minutes)") + ":" + two(seconds % 60)
}
