import BPFAssembly
import KernelLoader
import LuaRuntime
import ProbeCompiler
import Support

/// One batch of probes in the kernel.
final class LiveProbes {
  let registrations: [ProbeSet.Registration]
  private let maps: ProbeMaps
  private let object: BPFObject
  /// By the registration's index.
  private var links: [[Link]]
  private var failures: FailureReporter
  private var haveIteratorsRun = false

  /// Makes the maps that are not there yet and loads the programs; nothing is attached yet.
  init(_ set: ProbeSet, in session: TracingSession) throws(MoontraceError) {
    let programs = try set.compile()
    let maps = try ProbeMaps(programs, of: set)
    self.maps = maps
    registrations = set.registrations
    links = set.registrations.map { _ in [] }
    failures = FailureReporter(set.compiler.schema.failures)
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
  /// attached, where something else of the same probe could, and what is attached elsewhere than it says, is handed to
  /// `note`.
  func attach(pid: Int32?, note: (String) -> Void) throws(MoontraceError) {
    for index in registrations.indices {
      let attachment = try object.attach(probe: index, pid: pid)
      links[index] = attachment.links
      for error in attachment.refused { note("\(error)") }
      let place = registrations[index].location.map { "\($0): " } ?? ""
      for text in attachment.links.compactMap(\.note) { note(place + text) }
    }
  }

  var hasOnlyIterators: Bool { registrations.allSatisfy(\.isIterator) }

  /// Runs each iterator (`iter:task`) once: nothing else makes the kernel call it.
  func runIterators() throws(MoontraceError) {
    guard !haveIteratorsRun else { return }
    haveIteratorsRun = true
    for (registration, links) in zip(registrations, links) where registration.isIterator {
      for link in links { _ = try link.readIterator() }
    }
  }

  /// How many places each registration is attached to; 0 once it is detached.
  var placeCounts: [Int] {
    zip(registrations, links).map { registration, links in
      links.count == 1 ? registration.targets.count : links.count  // one link may stand for all
    }
  }

  /// Detaches what comes from the probe of a number.
  func detach(probe number: Int) {
    for (index, registration) in registrations.enumerated() where registration.number == number {
      for link in links[index] { link.detach() }
      links[index] = []
    }
  }

  func detach() {
    for index in links.indices {
      for link in links[index] { link.detach() }
      links[index] = []
    }
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
