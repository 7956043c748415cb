import Support

// SPECs of events that are counted: `software`, `hardware`, `perf_event`.
extension AttachSpecParser {
  func sampled(
    _ events: [SampledEvent], _ kind: String, _ make: (SampledEvent, UInt64) -> AttachSpec
  ) throws(MoontraceError) -> AttachSpec {
    let form = "\(kind):EVENT[:COUNT]"
    let (event, count) = try event(among: events, kind, form)
    guard let count else { return make(event, event.defaultCount) }
    guard let count = UInt64(count), count > 0 else { throw wrongForm(form) }
    return make(event, count)
  }

  func perfEvent() throws(MoontraceError) -> AttachSpec {
    let form = "perf_event:EVENT, perf_event:EVENT:COUNT or perf_event:EVENT:HZhz with 1 to 100000"
    let (event, rate) = try event(among: SampledEvent.hardware + SampledEvent.software, "perf", form)
    guard let rate else { return .perfEvent(event, .count(event.defaultCount)) }
    guard let rate = SampleRate(rate) else { throw wrongForm(form) }
    return .perfEvent(event, rate)
  }

  /// The event, and what follows it.
  private func event(
    among events: [SampledEvent], _ kind: String, _ form: String
  ) throws(MoontraceError) -> (event: SampledEvent, rate: String?) {
    let fields = try tail(form).split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard let event = events.first(where: { $0.name == fields[0] || $0.alias == fields[0] }) else {
      let names = events.map(\.name)
      throw MoontraceError(
        .usage, "'\(text)': no \(kind) event is called '\(fields[0])'\(suggestionHint(for: fields[0], in: names))",
        remedy: "one of \(names.joined(separator: ", "))")
    }
    guard fields.count <= 2 else { throw wrongForm(form) }
    return (event, fields.count == 2 ? fields[1] : nil)
  }
}
