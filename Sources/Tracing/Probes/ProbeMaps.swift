import CEventCore
import KernelLoader
import ProbeCompiler
import Support

/// The kernel's maps behind a script's programs.
final class ProbeMaps {
  /// Events that were lost, and runs that ended with an error, by the index of the failure's place.
  let counters: MappedValue
  /// The ring buffer of events; nil when no probe sends any.
  let ring: KernelMap?
  private let set: ProbeSet
  private let stacks: KernelMap?
  private let zeros: KernelMap?
  /// By the program's index.
  private var scratch: [Int: KernelMap] = [:]

  /// Different stacks that can be told apart.
  private static let stackCount = 16_384

  /// Makes all maps that the programs use, and those of the user half.
  init(_ programs: [CompiledProbe], of set: ProbeSet) throws(MoontraceError) {
    self.set = set
    let schema = set.compiler.schema
    let used = Set(programs.flatMap(\.maps))
    counters = try MappedValue(name: "counters", size: 8 * schema.failures.count)
    let size = set.configuration.ringBufferSize ?? RingSize.standard
    ring = schema.events.isEmpty ? nil : try KernelMap(.ringBuffer(name: "events", bytes: size))
    stacks =
      used.contains(.stacks)
      ? try KernelMap(.stackTraces(name: "stacks", depth: ProbeNamer.deepestStack, maxEntries: Self.stackCount)) : nil
    zeros = used.contains(.zeros) ? try KernelMap(.value(name: "zeros", size: Self.largestValue(schema))) : nil
    for (index, program) in programs.enumerated() where program.scratchSize > 0 {
      scratch[index] = try KernelMap(
        .init(
          name: "scratch", type: .perCPUArray, keySize: 4, valueSize: program.scratchSize,
          maxEntries: program.scratchCount))
    }
    set.namer.stackMap = stacks?.descriptor ?? -1
    try createShared(schema)
  }

  private func createShared(_ schema: ProbeSchema) throws(MoontraceError) {
    for (map, type) in zip(set.maps, schema.maps) { try map.create(type, namer: set.namer.core) }
    for (aggregate, type) in zip(set.aggregates, schema.aggregates) {
      try aggregate.create(type, namer: set.namer.core)
    }
    for group in set.globals { try group.share() }
  }

  /// Bytes of the largest value that a program may start an element from.
  private static func largestValue(_ schema: ProbeSchema) -> Int {
    let values = schema.maps.compactMap(\.value).map { Int($0.size) }
    let words = schema.aggregates.compactMap(AggregateShape.init).map { 8 * $0.wordCount }
    return max(64, (values + words).max() ?? 0)
  }

  /// The descriptor of a map that the program at `index` uses; -1 for one that there is not.
  func descriptor(_ map: ProbeMap, program index: Int) -> Int32 {
    switch map {
    case .map(let number): set.maps[number].map?.descriptor ?? -1
    case .aggregate(let number): set.aggregates[number].map?.descriptor ?? -1
    case .globals(let number): set.globals[number].shared?.descriptor ?? -1
    case .events: ring?.descriptor ?? -1
    case .counters: counters.descriptor
    case .scratch: scratch[index]?.descriptor ?? -1
    case .stacks: stacks?.descriptor ?? -1
    case .zeros: zeros?.descriptor ?? -1
    }
  }
}
