import ProbeCompiler

/// Tells of runs of probes that ended with an error, for each place what is new.
struct FailureReporter {
  private var told: [UInt64]
  private let places: [ProbeSchema.FailurePlace]

  init(_ places: [ProbeSchema.FailurePlace]) {
    self.places = places
    told = places.map { _ in 0 }
  }

  /// A line for each place where runs have ended since the last call; `count` gives a place's total by its index.
  mutating func news(_ count: (Int) -> UInt64) -> [String] {
    var lines: [String] = []
    // Counter 0 is of lost events, which are told elsewhere.
    for index in places.indices.dropFirst() {
      let total = count(index)
      guard total > told[index] else { continue }
      lines.append(sentence(places[index], total - told[index]))
      told[index] = total
    }
    return lines
  }

  private func sentence(_ place: ProbeSchema.FailurePlace, _ runs: UInt64) -> String {
    "\(place.source):\(place.line): \(place.message) (\(runs) \(runs == 1 ? "run" : "runs") ended here)"
  }
}
