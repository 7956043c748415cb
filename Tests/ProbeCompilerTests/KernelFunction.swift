import BPFAssembly
import CLibbpf
import Glibc
import LuaBytecode
import Support
import Testing

@testable import ProbeCompiler

/// A Lua function of integers, compiled and loaded: called in the kernel as Lua calls it.
final class KernelFunction {
  private let run: KernelRun
  private let maps: SharedMaps
  let compiled: CompiledProbe
  private let places: [ProbeSchema.FailurePlace]

  /// - Parameter text: Lua text that defines `local function f(a, b, c)`.
  init(_ text: String) throws {
    let script = try TestScript()
    // What f gives goes to the globals: its kind, and its value.
    let probe = try script.load(
      """
      local g = "globals 0"
      \(text)
      return function()
        local r = f(arg0, arg1, arg2)
        if r == nil then g.kind = 1
        elseif r == true then g.kind = 2
        elseif r == false then g.kind = 3
        else g.value = r; g.kind = 4 end
      end
      """)
    var compiler = ProbeCompiler(host: script, types: { nil })
    compiler.schema.globals = [
      ProbeSchema.GlobalsType(fields: [.init(name: "kind", type: .integer), .init(name: "value", type: .integer)])
    ]
    compiler.schema.streamCount = 1
    let words = (0..<6).map { ProbeContext.Argument.Source.word(offset: $0 * 8, width: .double, signed: false) }
    let context = ProbeContext(spec: "rawtracepoint:test", kind: .rawTracepoint, positional: words)
    try compiler.add(probe, at: context, stream: 0)
    compiled = try #require(try compiler.finish().first)
    places = compiler.schema.failures
    maps = try SharedMaps(compiled)
    let (shared, references) = (maps, compiled.maps)
    run = try KernelRun(compiled.program) { shared.descriptor(of: references[$0.id]) }
  }

  /// The errors that ended runs so far.
  var errors: [String] {
    maps.counts.indices.dropFirst().filter { maps.counts[$0] > 0 && $0 < places.count }
      .map { "line \(places[$0].line): \(places[$0].message) (\(maps.counts[$0]) times)" }
  }

  /// The result as text, or nil when the run ended with an error.
  func callAsFunction(_ arguments: [Int64]) throws -> String? {
    maps.globals[0] = 0
    let failures = maps.failures
    try run(arguments: arguments)
    if maps.failures != failures {
      // A run that fails ends there: it counts one error, and goes on with nothing.
      return maps.failures == failures + 1 && maps.globals[0] == 0 ? nil : "more than an error"
    }
    switch maps.globals[0] {
    case 1: return "nil"
    case 2: return "true"
    case 3: return "false"
    case 4: return "\(maps.globals[1])"
    default: return "nothing"
    }
  }
}

/// The maps of a compiled probe.
final class SharedMaps {
  private var descriptors: [ProbeMap: OwnedBox] = [:]
  let globals: UnsafeMutablePointer<Int64>
  private let counters: UnsafeMutablePointer<Int64>

  private final class OwnedBox {
    let descriptor: OwnedDescriptor
    init(_ number: Int32) { descriptor = OwnedDescriptor(number) }
  }

  init(_ compiled: CompiledProbe) throws {
    var globals = UnsafeMutablePointer<Int64>.allocate(capacity: 512)
    var counters = globals
    for map in Set(compiled.maps + [.globals(0), .counters]) {
      let size: UInt32 =
        switch map {
        case .scratch: UInt32(max(compiled.scratchSize, 8))
        default: 4096
        }
      var options = bpf_map_create_opts()
      options.sz = MemoryLayout<bpf_map_create_opts>.size
      let type = map == .scratch ? BPF_MAP_TYPE_PERCPU_ARRAY : BPF_MAP_TYPE_ARRAY
      if type == BPF_MAP_TYPE_ARRAY { options.map_flags = UInt32(BPF_F_MMAPABLE) }
      let number = bpf_map_create(type, "test", 4, size, 1, &options)
      try #require(number >= 0)
      descriptors[map] = OwnedBox(number)
      guard map == .globals(0) || map == .counters else { continue }
      let memory = try #require(mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0))
      if map == .counters {
        counters = memory.assumingMemoryBound(to: Int64.self)
      } else {
        globals.deallocate()
        globals = memory.assumingMemoryBound(to: Int64.self)
      }
    }
    self.globals = globals
    self.counters = counters
  }

  deinit {
    munmap(globals, 4096)
    munmap(counters, 4096)
  }

  func descriptor(of map: ProbeMap) -> Int32 { descriptors[map]?.descriptor.number ?? -1 }

  /// How many runs ended with an error so far.
  var failures: Int64 { counts.dropFirst().reduce(0, +) }

  /// The counters, by `FailurePlace`; the first one counts lost events.
  var counts: [Int64] { (0..<512).map { counters[$0] } }
}
