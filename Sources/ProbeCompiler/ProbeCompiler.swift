import BPFAssembly
import BTF
import LuaBytecode
import Support

/// Compiles the probe functions of one script to BPF.
///
/// Each probe is read, and its mistakes are found, when it is added; what the probes share (the types of maps above
/// all) becomes known step by step, so programs are made at the end, by `finish()`.
///
/// ```swift
/// var compiler = ProbeCompiler(host: script, types: try KernelTypes.graph())
/// let stream = compiler.schema.streamCount  // a new stream
/// compiler.schema.streamCount += 1
/// try compiler.add(function, at: [context], stream: stream)
/// let programs = try compiler.finish()
/// ```
public struct ProbeCompiler {
  /// What is shared: the owner adds maps, aggregates, globals and streams; the compiler fills in their types, events
  /// and failure places.
  public var schema = ProbeSchema()

  /// Only runs in this process do anything; nil for all. Probes that are attached to one process need no such test.
  public var process: Int32?
  /// The kernel's monotonic time at which the session began, in nanoseconds: what `elapsed` counts from.
  public var startTime: Int64 = 0

  /// Why probes may not use `signal` or `override` here, which change what the system does; nil when they may.
  public var objection: (KernelChange) -> MoontraceError? = { _ in nil }

  private let host: any ProbeHost
  private let types: () throws(MoontraceError) -> TypeGraph?
  private var probes: [Probe] = []
  private var functions = FunctionCache()

  private struct Probe {
    var function: HostReference
    var context: ProbeContext
    var stream: Int
    /// What the function was read as when it was added, and with which types.
    var first: (result: Frontend.Result, types: ProbeSchema.Types)?
  }

  /// - Parameter types: the kernel's types, asked for only when a probe needs one.
  public init(host: any ProbeHost, types: @escaping () throws(MoontraceError) -> TypeGraph?) {
    self.host = host
    self.types = types
  }

  /// Adds a probe; `stream` gets what its function returns.
  ///
  /// - Throws: `.scriptFailed`, located, for everything in the function that a probe can't do; the probe is not added
  ///   then.
  public mutating func add(_ function: HostReference, at context: ProbeContext, stream: Int) throws(MoontraceError) {
    var probe = Probe(function: function, context: context, stream: stream)
    let types = schema.types
    probe.first = try read(probe).map { ($0, types) }
    probes.append(probe)
  }

  /// A compiler that knows the same of what probes share, and has no probes yet; it reads all functions anew.
  public func withoutProbes() -> ProbeCompiler {
    var other = self
    other.probes = []
    other.functions = FunctionCache()
    return other
  }

  /// A compiler for a further batch of probes, beside those that `finish()` gave: events keep their numbers, and new
  /// ones come behind them.
  public func continued() -> ProbeCompiler {
    var other = withoutProbes()
    other.schema.settledEventCount = schema.events.count
    return other
  }

  /// The programs of all probes, in the order in which they were added, once every type is known.
  ///
  /// - Throws: `.scriptFailed` when something is never given a type, such as a map that nothing is stored into.
  public mutating func finish() throws(MoontraceError) -> [CompiledProbe] {
    var results = try settledResults()
    if results == nil { results = try readAll(isFinal: true) }
    var compiled: [CompiledProbe] = []
    for (probe, result) in zip(probes, results ?? []) { compiled.append(try compile(probe, result)) }
    return compiled
  }

  /// A probe may show the type of a map that an earlier one reads.
  ///
  /// - Returns: the probes as they are once nothing new shows; nil when one still waits for a type then.
  private mutating func settledResults() throws(MoontraceError) -> [Frontend.Result]? {
    let types = schema.types
    let first = probes.compactMap { $0.first?.types == types ? $0.first?.result : nil }
    if first.count == probes.count { return first }
    while true {
      let before = schema.types
      let results = try readAll()
      if schema.types == before { return results.count == probes.count ? results : nil }
    }
  }

  private mutating func readAll(isFinal: Bool = false) throws(MoontraceError) -> [Frontend.Result] {
    schema.events.removeSubrange(schema.settledEventCount...)
    schema.failures = ProbeSchema.firstFailures
    var results: [Frontend.Result] = []
    for probe in probes {
      if let result = try read(probe, isFinal: isFinal) { results.append(result) }
    }
    return results
  }

  /// - Returns: nil when a type is not known yet.
  private mutating func read(_ probe: Probe, isFinal: Bool = false) throws(MoontraceError) -> Frontend.Result? {
    let (kernel, module) = (types, probe.context.moduleTypes)
    func known() throws(MoontraceError) -> TypeGraph? {
      if let module { return module }
      return try kernel()
    }
    var frontend = Frontend(
      host: host, types: known, schema: schema, context: probe.context, stream: probe.stream, isFinal: isFinal,
      functions: functions)
    frontend.process = process
    frontend.startTime = startTime
    frontend.objection = objection
    do throws(MoontraceError) {
      let result = try frontend.compile(probe.function)
      schema = frontend.schema
      return frontend.isWaiting ? nil : result
    } catch {
      // What another probe may still show is waited for; what this one has shown is kept.
      guard frontend.isWaiting, !isFinal else { throw error }
      schema = frontend.schema
      return nil
    }
  }

  /// What the kernel grants a value of a per-CPU array (`PCPU_MIN_UNIT_SIZE`, include/linux/percpu.h).
  private static let largestScratch = 32 << 10

  private func checkScratch(_ size: Int) throws(MoontraceError) {
    guard size > Self.largestScratch else { return }
    throw MoontraceError(
      .scriptFailed, "this probe needs \(size >> 10) KiB for its text and records; the kernel grants 32 KiB",
      remedy: "read less text: str(p, 256), buf(p, n, 64)")
  }

  private func compile(_ probe: Probe, _ result: Frontend.Result) throws(MoontraceError) -> CompiledProbe {
    let generated: GeneratedProgram
    do throws(MoontraceError) {
      generated = try generate(result.program, name: probe.context.spec)
      try checkScratch(Int(generated.intermediate.scratchSize))
    } catch {
      var error = error
      error.location = error.location ?? (try? host.prototype(of: probe.function))?.place
      throw error
    }
    let program = generated.intermediate
    return CompiledProbe(
      context: probe.context, program: generated.assembled, maps: result.maps, scratchSize: Int(program.scratchSize),
      scratchCount: program.sharing == nil ? 1 : ScratchSharing.copies, places: result.places,
      intermediate: program)
  }
}

/// A probe as BPF.
public struct CompiledProbe: Sendable {
  public let context: ProbeContext
  public let program: AssembledProgram
  /// By `MapReference.id`.
  public let maps: [ProbeMap]
  /// Bytes of the value of `ProbeMap.scratch`; 0 when the program needs none.
  public let scratchSize: Int
  /// How many values it has.
  public let scratchCount: Int
  /// The source places of the program's instructions: `AssembledProgram.places` counts them from 1.
  public let places: [SourcePlace]
  /// What the instructions were made from.
  let intermediate: IRProgram

  /// The program as the compiler saw it before it chose registers, for `--dump ir`.
  public var intermediateText: String {
    intermediate.text { place in
      let index = Int(place) - 1
      return places.indices.contains(index) ? "\(places[index].source):\(places[index].line)" : nil
    }
  }
}

/// A line of a source text.
public struct SourcePlace: Hashable, Sendable {
  public var source: String
  public var line: Int

  public init(source: String, line: Int) {
    self.source = source
    self.line = line
  }
}
