import BPFAssembly
import KernelLoader
import LuaRuntime
import ProbeCompiler
import Support

/// A script's probes in the kernel.
final class LiveProbes {
  /// nil when no probe sends events.
  let events: ProbeEvents?
  private let maps: ProbeMaps
  private let object: BPFObject
  private var links: [Link] = []
  private var failures: FailureReporter

  /// Makes the maps, stores what the user half has in them, and loads the programs; nothing is attached yet.
  init(_ set: ProbeSet, in session: TracingSession) throws(MoontraceError) {
    let programs = try set.compile()
    let schema = set.compiler.schema
    let maps = try ProbeMaps(programs, of: set)
    self.maps = maps
    failures = FailureReporter(schema.failures)
    events = try maps.ring.map { ring throws(MoontraceError) in
      try ProbeEvents(
        schema, ring: ring, handlers: set.handlers, exitHandler: set.exitHandler, namer: set.namer.core, in: session)
    }
    object = try BPFObject(
      programs: zip(set.registrations, programs).enumerated().map { index, pair in
        Self.program(pair.0, pair.1, session.source) { maps.descriptor($0, program: index) }
      }, name: session.source.shortName)
    try Self.checkCapabilities(object, set.configuration)
    try object.load()
  }

  private static func program(
    _ registration: ProbeSet.Registration, _ compiled: CompiledProbe, _ source: ScriptSource,
    _ descriptor: (ProbeMap) -> Int32
  ) -> ProbeProgram {
    ProbeProgram(
      targets: registration.targets, spec: registration.spec, location: registration.location,
      program: compiled.program,
      lines: compiled.places.map { .init(file: $0.source, line: $0.line, text: source.line($0.line)) }
    ) { reference in
      compiled.maps.indices.contains(reference.id) ? descriptor(compiled.maps[reference.id]) : -1
    }
  }

  private static func checkCapabilities(
    _ object: BPFObject, _ configuration: SessionConfiguration
  ) throws(MoontraceError) {
    for program in object.programs {
      guard let reason = program.kernelWrites.first, !configuration.capabilities.permits(.changeKernel(reason)) else {
        continue
      }
      throw MoontraceError(
        .notPermitted, "a probe \(reason), which needs the capability kernel.write", remedy: "--allow kernel.write")
    }
  }

  /// Attaches the probes in the order of the script, so that those of one event run in that order. What could not be
  /// attached, where something else of the same probe could, is handed to `note`.
  func attach(_ set: ProbeSet, note: (String) -> Void) throws(MoontraceError) {
    for index in set.registrations.indices {
      let attachment = try object.attach(probe: index, pid: set.configuration.pid)
      links += attachment.links
      for error in attachment.refused { note("\(error)") }
    }
  }

  /// Runs each iterator (`iter:task`) once: nothing else makes the kernel call it.
  func runIterators(_ set: ProbeSet) throws(MoontraceError) {
    let iterators = Set(set.registrations.filter(\.isIterator).flatMap { $0.targets.map(\.description) })
    for link in links where iterators.contains(link.target) { _ = try link.readIterator() }
  }

  func detach() {
    for link in links { link.detach() }
    links = []
  }

  /// Gives the programs back to the kernel; the maps stay readable as long as this object.
  func close() {
    detach()
    object.close()
  }

  /// Events that the ring buffer had no room for.
  var lostEvents: UInt64 { maps.counters.counter(0) }

  /// A line for each place where runs have ended with an error since the last call.
  func failureNews() -> [String] {
    failures.news { maps.counters.counter($0) }
  }

  var programs: [BPFProgram] { object.programs }
}

extension ProbeSet {
  /// Compiles all probes; what the user half has stored decides types that no probe shows.
  func compile() throws(MoontraceError) -> [CompiledProbe] {
    try settleMaps()
    let programs = try compiler.finish()
    adoptAggregates()
    host.end()
    return programs
  }

  /// Gives maps the types of what the user half has stored, where no probe shows them.
  func settleMaps() throws(MoontraceError) {
    for (number, map) in maps.enumerated() { try settle(map, number) }
  }

  private func settle(_ map: ScriptMap, _ number: Int) throws(MoontraceError) {
    let type = compiler.schema.maps[number]
    guard type.key == nil || type.value == nil else { return }
    let entries = try pendingEntries(of: map)
    guard !entries.isEmpty else { return }
    do throws(MoontraceError) {
      let key = try DataType.common(entries.map(\.key))
      let value = try DataType.common(entries.map(\.value))
      compiler.schema.maps[number].key = type.key ?? key
      compiler.schema.maps[number].value = type.value ?? value
    } catch {
      throw MoontraceError(
        .scriptFailed, "map '\(type.name)': what is stored in it: \(error.message)", remedy: error.remedy)
    }
  }

  private func pendingEntries(of map: ScriptMap) throws(MoontraceError) -> [(key: LuaValue, value: LuaValue)] {
    do throws(LuaFailure) {
      guard case .table(let list)? = try runtime.call(map.pending).first else { return [] }
      return list.list.compactMap { entry in
        guard case .table(let pair) = entry, pair.list.count == 2 else { return nil }
        return (pair.list[0], pair.list[1])
      }
    } catch {
      throw error.asError
    }
  }

  /// Moves what the user half has stored into the kernel's maps.
  func storePending() throws(MoontraceError) {
    for map in maps where map.binding != nil {
      do throws(LuaFailure) {
        try runtime.call(map.store)
      } catch {
        throw error.asError
      }
    }
  }
}
