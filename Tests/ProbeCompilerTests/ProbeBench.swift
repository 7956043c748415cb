import BPFAssembly
import BTF
import CLibbpf
import Glibc
import KernelLoader
import LuaBytecode
import Support
import Testing

@testable import ProbeCompiler

/// The probes of a script, compiled and loaded as raw tracepoints' programs, with all their maps.
///
/// The script returns a list of functions; maps, streams and aggregates are strings in it: `local m = "map 0"`.
final class ProbeBench {
  private let script: TestScript
  private(set) var schema: ProbeSchema
  private(set) var compiled: [CompiledProbe] = []
  private var descriptors: [ProbeMap: OwnedBox] = [:]
  private(set) var programs: [ProgramBox] = []
  private var ring: OpaquePointer?
  private let events = EventList()

  private final class OwnedBox {
    let descriptor: OwnedDescriptor
    init(_ number: Int32) { descriptor = OwnedDescriptor(number) }
  }

  /// Only a descriptor, which threads may share.
  final class ProgramBox: @unchecked Sendable {
    let run: KernelRun
    init(_ run: consuming KernelRun) { self.run = run }
  }

  private final class EventList {
    var records: [[UInt8]] = []
  }

  init(_ text: String, _ contexts: [ProbeContext], schema: ProbeSchema) throws {
    script = try TestScript()
    let list = try script.load(text)
    let graph = try KernelTypes.graph()
    var compiler = ProbeCompiler(host: script, types: { graph })
    compiler.schema = schema
    compiler.schema.streamCount = contexts.count
    for (index, context) in contexts.enumerated() {
      guard case .function(let function) = script.element(of: list, at: Int64(index + 1)) else { continue }
      try compiler.add(function, at: context, stream: index)
    }
    compiled = try compiler.finish()
    self.schema = compiler.schema
    for map in Set(compiled.flatMap(\.maps)) where map != .scratch { try make(map, scratch: 0) }
    for probe in compiled {
      let scratch = OwnedBox(
        bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "scratch", 4, UInt32(max(8, probe.scratchSize)), 1, nil))
      let run = try KernelRun(probe.program) { reference in
        let map = probe.maps[reference.id]
        return map == .scratch ? scratch.descriptor.number : descriptors[map]?.descriptor.number ?? -1
      }
      programs.append(ProgramBox(run))
    }
    if let events = descriptors[.events] { try openRing(events.descriptor.number) }
  }

  deinit { ring_buffer__free(ring) }

  private func make(_ map: ProbeMap, scratch: Int) throws {
    let number: Int32
    switch map {
    case .map(let index):
      let type = schema.maps[index]
      let sizes = (UInt32(type.key?.size ?? 8), UInt32(type.value?.size ?? 8))
      number = bpf_map_create(BPF_MAP_TYPE_HASH, "map", sizes.0, sizes.1, type.maximum, nil)
    case .aggregate(let index):
      let type = schema.aggregates[index]
      let isHistogram = type.function == .histogram
      let size: UInt32 = type.function == .count || isHistogram ? 8 : 40
      if type.key == .tuple([]) {
        number = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "agg", 4, size, 128, nil)
      } else {
        let key = UInt32((type.key?.size ?? 0) + (isHistogram ? 8 : 0))
        number = bpf_map_create(BPF_MAP_TYPE_PERCPU_HASH, "agg", key, size, 128, nil)
      }
    case .events: number = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, 1 << 20, nil)
    case .stacks(let depth):
      number = bpf_map_create(BPF_MAP_TYPE_STACK_TRACE, "stacks", 4, UInt32(8 * depth), 1024, nil)
    default: number = bpf_map_create(BPF_MAP_TYPE_ARRAY, "array", 4, 8192, 1, nil)
    }
    try #require(number >= 0, "\(map): \(errno)")
    if map == .epochs {
      try #require(bpf_map_update_elem(number, [UInt32(0)], [Int64](repeating: 1, count: 1024), 0) == 0)
    }
    descriptors[map] = OwnedBox(number)
  }

  private func openRing(_ descriptor: Int32) throws {
    let context = Unmanaged.passUnretained(events).toOpaque()
    ring = ring_buffer__new(
      descriptor,
      { context, data, size in
        guard let context, let data else { return 0 }
        let list = Unmanaged<EventList>.fromOpaque(context).takeUnretainedValue()
        list.records.append(Array(UnsafeRawBufferPointer(start: data, count: size)))
        return 0
      }, context, nil)
    try #require(ring != nil)
  }

  func run(_ probe: Int, _ arguments: [Int64] = []) throws {
    try programs[probe].run(arguments: arguments)
  }

  /// Hands over the address of a text while it is there.
  func withText(_ text: String, _ body: (Int64) throws -> Void) throws {
    let copy = strdup(text)
    defer { free(copy) }
    try body(Int64(Int(bitPattern: copy)))
  }

  /// The events since the last call, each as its 8-byte words, its number first.
  func takeEvents() -> [[Int64]] {
    ring_buffer__consume(ring)
    defer { events.records = [] }
    return events.records.map { record in
      record.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 8).map { bytes.loadUnaligned(fromByteOffset: $0, as: Int64.self) }
      }
    }
  }

  /// The text at a word of an event.
  static func text(_ words: ArraySlice<Int64>) -> String {
    let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * Int64($0))) } }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The failures counted so far, by message.
  func failures() throws -> [String: Int64] {
    var values = [Int64](repeating: 0, count: 1024)
    var key: UInt32 = 0
    guard let counters = descriptors[.counters]?.descriptor.number else { return [:] }
    try #require(bpf_map_lookup_elem(counters, &key, &values) == 0)
    var found: [String: Int64] = [:]
    for (index, place) in schema.failures.enumerated() where values[index] > 0 {
      found["\(place.line): \(place.message)"] = values[index]
    }
    return found
  }

  /// A value of a map, summed over the CPUs where each has its own; by the words of its key.
  func value(of map: ProbeMap, _ key: [Int64], size: Int = 1) -> [Int64]? {
    guard let number = descriptors[map]?.descriptor.number else { return nil }
    let cpus = Int(libbpf_num_possible_cpus())
    var values = [Int64](repeating: 0, count: max(size * cpus, 1024))
    guard bpf_map_lookup_elem(number, key, &values) == 0 else { return nil }
    if case .aggregate = map {
      return (0..<size).map { word in (0..<cpus).reduce(0) { $0 + values[$1 * size + word] } }
    }
    return Array(values[..<size])
  }
}

extension ProbeContext {
  /// A context of words with names.
  static func words(_ arguments: [(String, ArgumentType)]) -> ProbeContext {
    ProbeContext(
      spec: "rawtracepoint:test", kind: .rawTracepoint,
      arguments: arguments.enumerated().map { index, argument in
        Argument(
          name: argument.0, source: .word(offset: Int32(index * 8), width: .double, signed: false), type: argument.1)
      },
      positional: (0..<6).map { .word(offset: $0 * 8, width: .double, signed: false) })
  }
}
