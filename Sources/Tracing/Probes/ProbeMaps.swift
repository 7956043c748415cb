import CEventCore
import KernelLoader
import ProbeCompiler
import Support

/// The kernel's maps behind the programs of one batch: its own, those that the script made, and those that all batches
/// share.
final class ProbeMaps {
  /// Events that were lost, and runs that ended with an error, by the index of the failure's place.
  let counters: MappedValue
  private let set: ProbeSet
  private let zeros: KernelMap?
  /// By the program's index.
  private var scratch: [Int: KernelMap] = [:]

  /// Makes all maps that the programs use, and those of the user half, that are not there yet.
  init(_ programs: [CompiledProbe], of set: ProbeSet) throws(MoontraceError) {
    self.set = set
    let schema = set.compiler.schema
    let used = Set(programs.flatMap(\.maps))
    counters = try MappedValue(name: "counters", size: 8 * schema.failures.count)
    zeros = used.contains(.zeros) ? try KernelMap(.value(name: "zeros", size: Self.largestValue(schema))) : nil
    for (index, program) in programs.enumerated() where program.scratchSize > 0 {
      scratch[index] = try KernelMap(
        .init(
          name: "scratch", type: .perCPUArray, keySize: 4, valueSize: program.scratchSize,
          maxEntries: program.scratchCount))
    }
    try set.shared.prepare(for: used, of: set)
    try createOfScript(schema)
  }

  private func createOfScript(_ schema: ProbeSchema) throws(MoontraceError) {
    for (map, type) in zip(set.maps, schema.maps) where map.map == nil { try map.create(type, namer: set.namer.core) }
    for (index, pair) in zip(set.aggregates, schema.aggregates).enumerated() where pair.0.map == nil {
      try pair.0.create(pair.1, namer: set.namer.core, epoch: AggregateEpoch(memory: set.shared.epochs, index: index))
    }
    for group in set.globals where group.shared == nil { try group.share() }
  }

  /// Bytes of the largest part of a key, value or event that a program may fill with zeros.
  private static func largestValue(_ schema: ProbeSchema) -> Int {
    let types = schema.maps.flatMap { [$0.key, $0.value] } + schema.aggregates.map(\.key) + schema.events.map(\.record)
    let words = schema.aggregates.compactMap(AggregateShape.init).map { 8 * $0.wordCount }
    return max(longestText, (types.compactMap { $0 }.map { Int($0.size) } + words).max() ?? 0)
  }

  /// Bytes that `str` and `buf` may need, with the length and the NUL.
  private static let longestText = 4096 + 16

  /// The descriptor of a map that the program at `index` uses; -1 for one that there is not.
  func descriptor(_ map: ProbeMap, program index: Int) -> Int32 {
    switch map {
    case .map(let number): set.maps[number].map?.descriptor ?? -1
    case .aggregate(let number): set.aggregates[number].map?.descriptor ?? -1
    case .globals(let number): set.globals[number].shared?.descriptor ?? -1
    case .counters: counters.descriptor
    case .scratch: scratch[index]?.descriptor ?? -1
    case .zeros: zeros?.descriptor ?? -1
    case .events, .stacks, .epochs: set.shared.descriptor(map) ?? -1
    }
  }
}
