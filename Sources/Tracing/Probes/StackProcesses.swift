import EventStream
import KernelLoader
import ProbeCompiler

/// The processes whose stacks and symbols aggregates and maps hold: their mappings are read while they live, so that
/// the addresses still have names when they have ended.
final class StackProcesses {
  /// A map, and where in its entries the numbers of processes stand, in bytes.
  private struct Source {
    var map: KernelMap
    var inKey: [Int]
    var inValue: [Int]

    init?(_ map: KernelMap?, key: DataType?, value: DataType?) {
      inKey = key?.processOffsets() ?? []
      inValue = value?.processOffsets() ?? []
      guard let map, !(inKey + inValue).isEmpty else { return nil }
      self.map = map
    }
  }

  /// Nanoseconds from one look to the next: so many times what a look takes, within limits.
  private static let restPerWork: UInt64 = 50
  private static let rest: ClosedRange<UInt64> = 20_000_000...1_000_000_000

  private let sources: [Source]
  private let symbols: UserSymbols

  /// nil when no aggregate or map of the set holds such values.
  init?(_ set: ProbeSet, _ symbols: UserSymbols) {
    let aggregates = zip(set.aggregates, set.compiler.schema.aggregates).compactMap { aggregate, type in
      Source(aggregate.map, key: type.key, value: nil)
    }
    let maps = zip(set.maps, set.compiler.schema.maps).compactMap { map, type in
      Source(map.map, key: type.key, value: map.options.isPerCPU ? nil : type.value)
    }
    sources = aggregates + maps
    self.symbols = symbols
    if sources.isEmpty { return nil }
  }

  /// Looks now and, as long as the loop runs, again and again.
  func watch(_ loop: EventLoop) {
    let start = EventLoop.now()
    look()
    let rest = min(max(Self.restPerWork * (EventLoop.now() - start), Self.rest.lowerBound), Self.rest.upperBound)
    loop.after(nanoseconds: rest) { [weak self, unowned loop] in self?.watch(loop) }
  }

  private func look() {
    var processes: Set<Int32> = []
    for source in sources {
      // Naming is a help: a map that can't be read is told of where the script reads it.
      for entry in (try? source.map.entries()) ?? [] {
        for offset in source.inKey { processes.insert(Self.process(entry.key, offset)) }
        for offset in source.inValue { processes.insert(Self.process(entry.value, offset)) }
      }
    }
    for process in processes where process > 0 { symbols.remember(process: process) }
  }

  private static func process(_ bytes: [UInt8], _ offset: Int) -> Int32 {
    guard offset + 4 <= bytes.count else { return 0 }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Int32.self) }
  }
}

extension DataType {
  /// Where in a value of this type the numbers of processes stand that its names need, in bytes.
  fileprivate func processOffsets(from offset: Int = 0) -> [Int] {
    switch self {
    case .named(.userStack, _), .named(.userSymbol, _): return [offset + 8]
    case .integer, .boolean, .string, .bytes, .enumeration, .address, .named: return []
    case .optional(let type): return type.processOffsets(from: offset + 8)
    case .tuple(let items): return Self.processOffsets(items, from: offset)
    case .record(let fields): return Self.processOffsets(fields.map(\.type), from: offset)
    }
  }

  private static func processOffsets(_ types: [DataType], from offset: Int) -> [Int] {
    var place = offset
    return types.flatMap { type in
      defer { place += Int(type.size) }
      return type.processOffsets(from: place)
    }
  }
}
