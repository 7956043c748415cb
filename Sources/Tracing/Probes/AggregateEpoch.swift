import KernelLoader

/// The number of the time span that an aggregate's least and greatest values belong to.
///
/// A probe writes it beside them, and where it finds an older one it starts over; so user space never writes to an
/// element that probes use.
struct AggregateEpoch {
  /// Above 0, which is what new elements have.
  private(set) var current: Int64 = 1
  private let memory: MappedValue?
  private let index: Int

  /// - Parameters:
  ///   - memory: where probes read it, a word for each aggregate; nil when none does.
  ///   - index: the aggregate's number.
  init(memory: MappedValue? = nil, index: Int = 0) {
    self.memory = memory
    self.index = index
    share()
  }

  mutating func advance() {
    current += 1
    share()
  }

  private func share() { memory?.write(UInt64(bitPattern: current), at: 8 * index) }
}
