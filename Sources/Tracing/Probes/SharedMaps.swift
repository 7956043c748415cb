import KernelLoader
import ProbeCompiler
import Support

/// The kernel's maps that all probes of a session share, beside those that the script made: each is made when the first
/// batch of probes uses it.
final class SharedMaps {
  /// The ring buffer of events; nil while no probe sends any.
  private(set) var ring: KernelMap?
  /// By how many frames their stacks have.
  private(set) var stacks: [Int32: KernelMap] = [:]
  /// The time spans that least and greatest values belong to, by the aggregate's number.
  private(set) var epochs: MappedValue?

  /// Different stacks that can be told apart.
  private static let stackCount = 16_384
  /// Aggregates that the epochs have room for: a page, which mapped memory takes anyway.
  private static let epochCount = 512

  /// Makes what `used` names and is not there yet.
  func prepare(for used: Set<ProbeMap>, of set: ProbeSet) throws(MoontraceError) {
    if used.contains(.events), ring == nil {
      let size = set.configuration.ringBufferSize ?? RingSize.standard
      ring = try KernelMap(.ringBuffer(name: "events", bytes: size))
    }
    for case .stacks(let depth) in used where stacks[depth] == nil {
      stacks[depth] = try KernelMap(.stackTraces(name: "stacks", depth: Int(depth), maxEntries: Self.stackCount))
    }
    if used.contains(.epochs) { try prepareEpochs(set.compiler.schema.aggregates.count) }
    set.namer.stackMaps = stacks.mapValues(\.descriptor)
  }

  private func prepareEpochs(_ count: Int) throws(MoontraceError) {
    guard let epochs else {
      self.epochs = try MappedValue(name: "epochs", size: 8 * max(count, Self.epochCount), isWritable: true)
      return
    }
    guard 8 * count > epochs.bytes.count else { return }
    throw MoontraceError(
      .scriptFailed, "a session takes no further min, max or stats behind \(epochs.bytes.count / 8) aggregates",
      remedy: "start a new one")
  }

  /// The descriptor of a map that is here; nil for another one.
  func descriptor(_ map: ProbeMap) -> Int32? {
    switch map {
    case .events: ring?.descriptor
    case .stacks(let depth): stacks[depth]?.descriptor
    case .epochs: epochs?.descriptor
    default: nil
    }
  }
}
