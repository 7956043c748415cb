import BTF
import EventStream
import KernelLoader
import LuaRuntime
import ProbeCompiler
import Support

/// What a script has registered for the kernel: probes, and the maps, aggregates, globals and streams that they share
/// with its user half.
///
/// Probes are compiled as far as possible when they are registered, so that their mistakes are told at once. They go
/// live in batches, of which a script has one and each line of a REPL may have one (`ProbeSet+Batches.swift`); what
/// probes share takes its final form with the first batch that uses it.
final class ProbeSet {
  /// A function at one place, with the targets that it attaches to.
  struct Registration {
    /// Of the `probe()` that it comes from, counted from 1.
    var number: Int
    var targets: [AttachSpec]
    var spec: String
    var location: String?
    var function: HostReference
    var stream: Int

    var isIterator: Bool {
      if case .iterator? = targets.first { true } else { false }
    }
  }

  /// What `probe(SPEC, fn, options)` says.
  struct Request {
    var specs: [String]
    var function: HostReference
    var stream: Int
    var isOptional = false
    var takesFirst = false
    var location: String?
  }

  let host: ScriptHost
  let namer: ProbeNamer
  let configuration: SessionConfiguration
  let runtime: LuaRuntime
  var compiler: ProbeCompiler
  /// The probes of the batch that is not live yet.
  var registrations: [Registration] = []
  /// The helpers that each of them calls, once `checkScript` has compiled them.
  var helpers: [[Int32]] = []
  /// How many times `probe` has been called.
  var requestCount = 0
  /// Whether a main chunk runs, which may register probes.
  var isOpen = true
  private(set) var maps: [ScriptMap] = []
  private(set) var aggregates: [ScriptAggregate] = []
  private(set) var globals: [ScriptGlobals] = []
  /// The handlers of each stream.
  var handlers: [[LuaFunction]] = []
  /// Ends the session when a probe says so.
  var exitHandler: LuaFunction?
  /// What is live, in the order in which it became so.
  var batches: [LiveProbes] = []
  let shared = SharedMaps()
  /// The events of all batches; nil while no probe sends any.
  var events: ProbeEvents?
  /// What checking the script has found so far.
  var problems: [MoontraceError] = []

  init(_ runtime: LuaRuntime, _ configuration: SessionConfiguration, namer: ProbeNamer) {
    self.runtime = runtime
    self.configuration = configuration
    self.namer = namer
    host = ScriptHost(runtime, pid: configuration.pid)
    compiler = ProbeCompiler(host: host) { () throws(MoontraceError) in try KernelTypes.graph() }
    compiler.process = configuration.pid
    compiler.objection = { Self.objection(to: $0, configuration) }
    compiler.startTime = Int64(clamping: EventLoop.now())
  }

  /// Takes over which options the recipe's header declares. One with an option `pid` knows which events are of that
  /// process: of `sched_wakeup`, say, it is another one that runs.
  func declareOptions(_ names: [String]) {
    host.declaredOptions = names
    if names.contains("pid") { compiler.process = nil }
  }

  private static func objection(to change: KernelChange, _ configuration: SessionConfiguration) -> MoontraceError? {
    let effect =
      switch change {
      case .signal: "sends signals to processes (signal)"
      case .override: "changes what kernel functions return (override)"
      }
    guard configuration.capabilities.permits(.changeKernel(effect)) else {
      return MoontraceError(
        .notPermitted, "a probe that \(effect) needs the capability kernel.write", remedy: "--allow kernel.write")
    }
    guard case .override = change, !configuration.checksOnly, let reason = KernelFeatures.overrides.reason else {
      return nil
    }
    return MoontraceError(
      .unsupported, "override: this kernel lets no program change what its functions return: \(reason)",
      remedy: KernelFeatures.overrides.remedy)
  }

  var isEmpty: Bool { registrations.isEmpty && batches.isEmpty }

  /// The probes that feed a stream, by their SPECs.
  func name(ofStream stream: Int) -> String {
    var specs: [String] = []
    for registration in registrations where registration.stream == stream && !specs.contains(registration.spec) {
      specs.append(registration.spec)
    }
    return specs.prefix(3).joined(separator: ", ") + (specs.count > 3 ? ", …" : "")
  }

  /// Whether all has happened once the iterators have run.
  var hasOnlyIterators: Bool {
    !isEmpty && registrations.allSatisfy(\.isIterator) && batches.allSatisfy(\.hasOnlyIterators)
  }

  // MARK: Probes

  /// Compiles a probe function for each SPEC of a request. Throws what is wrong with a SPEC or with the function.
  func add(_ request: Request) throws(MoontraceError) {
    nameObjects()
    requestCount += 1
    var problems: [(spec: String, error: MoontraceError)] = []
    for spec in request.specs {
      let target = try AttachSpec(spec)
      let sites: [ProbeSite]
      do throws(MoontraceError) {
        sites = try ProbeSite.sites(of: target)
        if request.isOptional || request.takesFirst { try target.checkPlace() }
      } catch {
        guard request.isOptional || request.takesFirst, error.meansNoMatch else { throw error }
        problems.append((spec, error))
        continue
      }
      try add(sites, spec, request)
      if request.takesFirst { return }
    }
    if request.takesFirst, !request.isOptional { throw Self.noneWorks(problems) }
  }

  /// The error for a probe of which no SPEC works: each with its reason and its remedy.
  static func noneWorks(_ problems: [(spec: String, error: MoontraceError)]) -> MoontraceError {
    if problems.count == 1 { return problems[0].error }
    let lines = problems.map { "\n  \($0.spec): \($0.error)" }
    return MoontraceError(
      .unsupported, "probe: none of the \(problems.count) probes of the list works here" + lines.joined())
  }

  /// One program for all sites where the function reads only what they have in common, else one for each.
  func add(_ sites: [ProbeSite], _ spec: String, _ request: Request) throws(MoontraceError) {
    if sites.count > 1, !host.mentions("probe", in: request.function),
      let shared = ProbeSite.shared(by: sites, spec: spec), (try? add(shared, spec, request)) != nil
    {
      return
    }
    for site in sites { try add(site, spec, request) }
  }

  private func add(_ site: ProbeSite, _ spec: String, _ request: Request) throws(MoontraceError) {
    var failure: MoontraceError?
    do throws(MoontraceError) {
      try compiler.add(request.function, at: site.context, stream: request.stream)
    } catch {
      failure = error
    }
    if var problem = host.takeOptionProblem() {
      problem.location = failure?.location ?? request.location
      throw problem
    }
    if let failure { throw failure }
    registrations.append(
      Registration(
        number: requestCount, targets: site.targets, spec: spec, location: request.location, function: request.function,
        stream: request.stream))
  }

  // MARK: What probes share

  func addMap(_ map: ScriptMap) -> Int {
    maps.append(map)
    var type = map.declaration
    type.name = "map \(maps.count)"
    compiler.schema.maps.append(type)
    return maps.count - 1
  }

  func addAggregate(_ aggregate: ScriptAggregate, name: String?) -> Int {
    adoptAggregates()
    aggregates.append(aggregate)
    let function = aggregate.function
    compiler.schema.aggregates.append(ProbeSchema.AggregateType(name: name ?? function.name, function: function))
    if name != nil { named.insert(Named(kind: .aggregate, number: aggregates.count - 1)) }
    return aggregates.count - 1
  }

  func addGlobals(_ group: ScriptGlobals) -> Int {
    globals.append(group)
    compiler.schema.globals.append(ProbeSchema.GlobalsType(fields: group.fields))
    return globals.count - 1
  }

  func addStream() -> Int {
    handlers.append([])
    compiler.schema.streamCount = handlers.count
    return handlers.count - 1
  }

  func addHandler(_ handler: LuaFunction, toStream stream: Int) throws(MoontraceError) {
    handlers[stream].append(handler)
    if !isOpen { try events?.add(handler, toStream: stream) }
  }

  /// Aggregates that one-liners such as `count(comm)` feed: the compiler has added them to the schema.
  func adoptAggregates() {
    for type in compiler.schema.aggregates.dropFirst(aggregates.count) {
      aggregates.append(ScriptAggregate(type.function, isAnonymous: true))
    }
  }

  // MARK: Names

  private struct Named: Hashable {
    var kind: ScriptHost.ObjectKind
    var number: Int
  }

  private var named: Set<Named> = []

  /// Takes over the names of variables that hold maps and aggregates, for messages and output.
  func nameObjects() {
    for (kind, number, name) in host.objectNames() where named.insert(Named(kind: kind, number: number)).inserted {
      switch kind {
      case .map: compiler.schema.maps[number].name = name
      case .aggregate: compiler.schema.aggregates[number].name = name
      case .stream, .globals: break
      }
    }
  }
}

extension MoontraceError {
  /// Whether a SPEC stands for nothing in this kernel, as against what the user may not do.
  var meansNoMatch: Bool { code == .unsupported || code == .usage }
}
