import BTF
import CEventCore
import CLuaBridge
import EventStream
import KernelLoader
import LuaRuntime
import Packages
import Support

/// A BPF object that a script opened: its maps as Lua sees them, its event buffers and the links of its programs.
final class TracedObject {
  let object: BPFObject
  private unowned let session: TracingSession
  private(set) var buffers: [RecordStream] = []
  private var maps: [(map: BPFMap, binding: MapBinding)] = []
  private var globals: [String: DecodePlan] = [:]
  /// The counters go away with the object, the losses have happened.
  private var lostBeforeClose: UInt64 = 0
  private var links: [(program: String, link: Link)] = []
  /// What `--dump` attaches in name only: programs, and their SPECs or sections.
  private(set) var wouldAttach: [(program: String, target: String)] = []
  /// Iterators that have run.
  private var readIterators: Set<String> = []
  /// What its package says of it.
  let meta: PackageMeta?
  /// How the records of its buffers read.
  let recordTypes: RecordTypes
  /// What its package calls its globals.
  var options: ProgramOptions?

  private let types: ForeignTypes?

  init(_ opened: ProgramSource.Opened, in session: TracingSession) throws(MoontraceError) {
    object = opened.object
    self.session = session
    meta = opened.meta
    types = opened.types
    recordTypes = RecordTypes(opened.object, opened.meta)
    if let size = session.configuration.ringBufferSize { try object.setRingSize(size) }
    for map in object.maps {
      switch map.shape {
      case .ringBuffer, .perfEventArray: buffers.append(RecordStream(map, of: object, types: recordTypes, in: session))
      default: maps.append((map, MapBinding(map)))
      }
    }
  }

  private(set) var isClosed = false

  var isAttached: Bool { !links.isEmpty }

  /// Whether programs are attached to what may happen at any time, as against iterators, which run when they are read.
  var awaitsEvents: Bool { links.contains { !$0.link.isIterator } }

  func buffer(_ name: String) -> RecordStream? { buffers.first { $0.name == name } }

  func map(_ name: String) -> MapBinding? { maps.first { $0.map.name == name }?.binding }

  // MARK: Globals

  func global(_ name: String) throws(MoontraceError) -> (variable: GlobalVariable, plan: DecodePlan) {
    guard let variable = object.global(name) else {
      throw MoontraceError(.scriptFailed, "\(object.name): no global '\(name)'")
    }
    if let plan = globals[name] { return (variable, plan) }
    let plan = DecodePlan(value: variable.layout)
    globals[name] = plan
    return (variable, plan)
  }

  // MARK: Life

  /// Loads programs and maps, once; buffers are open from here on.
  func load() throws(MoontraceError) {
    guard !object.isLoaded else { return }
    if session.configuration.attachesNothing { return pretendToLoad() }
    for program in object.programs where program.isAutoloaded { try checkCapability(program) }
    try object.load()
    if object.hasUncountedLosses {
      session.diagnostics.note(
        "\(object.name): events that functions which are not inlined fail to send are not counted (mark them __always_inline)"
      )
    }
    refreshMaps()
    for buffer in buffers { try buffer.open() }
  }

  private func pretendToLoad() {
    for (map, binding) in maps { binding.pretend(valueSize: map.valueSize, maxEntries: map.maxEntries) }
  }

  private func checkCapability(_ program: BPFProgram) throws(MoontraceError) {
    guard let reason = program.kernelWrites.first, !session.configuration.capabilities.permits(.changeKernel(reason))
    else { return }
    throw MoontraceError(
      .notPermitted, "\(object.name): program '\(program.name)' \(reason), which needs the capability kernel.write",
      remedy: "--allow kernel.write")
  }

  /// Makes sure that every open buffer has someone who can read its records.
  func prepareStreams() throws(MoontraceError) {
    for buffer in buffers { try buffer.prepare() }
  }

  /// Attaches every program that is not attached yet, each where it says itself.
  func attach() throws(MoontraceError) {
    if !object.isLoaded { try leaveOutAlternatives() }
    var steps: [AttachPlan.Step] = []
    for program in object.programs where program.isAutoloaded && !isAttached(program.name) && program.type != .structOps
    {
      steps += try ownSteps(of: program)
    }
    try attach(steps)
    try attachOperations()
  }

  private func leaveOutAlternatives() throws(MoontraceError) {
    let candidates = object.programs.filter { $0.isAutoloaded && package(of: $0)?.namesPlace != true }
    let alternatives = ProgramAlternatives(object, among: candidates)
    for program in alternatives.leftOut { try program.setAutoload(false) }
    for note in alternatives.notes { session.diagnostics.note("\(object.name): \(note)") }
  }

  /// Where a program goes by its section and its package; by its section, which says why not, when neither knows.
  private func ownSteps(of program: BPFProgram) throws(MoontraceError) -> [AttachPlan.Step] {
    let place = try ProgramPlacement(program, package(of: program), object)
    return try place?.steps(of: program) ?? [.init(program: program, spec: nil)]
  }

  private func package(of program: BPFProgram) -> PackagedProgram? {
    meta?.skeleton.programs.first { $0.name == program.name }
  }

  /// Attaches one program where `spec` says; where it says itself when nil.
  func attach(program name: String, to spec: String?) throws(MoontraceError) {
    guard let program = object.program(name) else {
      throw MoontraceError(.scriptFailed, "\(object.name): no program '\(name)'")
    }
    guard let spec else { return try attach(try ownSteps(of: program)) }
    try attach([.init(program: program, spec: try AttachSpec(spec))])
  }

  /// Attaches programs where a plan puts them, after `prepare` has seen the object, loaded.
  func attach(
    _ plan: AttachPlan, prepare: (BPFObject) throws(MoontraceError) -> Void
  ) throws(MoontraceError) {
    try attach(plan.steps, prepare: prepare)
    try attachOperations()
  }

  private func attach(
    _ steps: [AttachPlan.Step], prepare: (BPFObject) throws(MoontraceError) -> Void = { _ in }
  ) throws(MoontraceError) {
    for step in steps where !object.isLoaded {
      guard let spec = step.spec else { continue }
      try step.program.checkFit(spec)
      try step.program.prepare(for: spec)
    }
    try load()
    if object.isLoaded { try prepare(object) }
    for step in steps { try attach(step.program, to: step.spec) }
  }

  private func attach(_ program: BPFProgram, to spec: AttachSpec?) throws(MoontraceError) {
    if session.configuration.attachesNothing {
      wouldAttach.append((program.name, spec?.description ?? program.section))
      return
    }
    add(try program.attach(to: spec, pid: session.configuration.pid))
  }

  /// Gives the kernel the object's tables of functions (struct_ops).
  private func attachOperations() throws(MoontraceError) {
    for map in object.operationMaps where !isAttached(map.name) {
      if session.configuration.attachesNothing {
        wouldAttach.append((map.name, "struct_ops:\(map.name)"))
      } else {
        add(try object.attach(map))
      }
    }
  }

  private func add(_ link: Link) {
    links.append((link.program, link))
    if let note = link.note { session.diagnostics.note("\(object.name): program '\(link.program)': \(note)") }
  }

  private func isAttached(_ program: String) -> Bool {
    links.contains { $0.program == program } || wouldAttach.contains { $0.program == program }
  }

  /// Runs an iterator, attached by its section when it is not yet; what it wrote.
  func read(program name: String) throws(MoontraceError) -> [UInt8] {
    if !isAttached(name) { try attach(program: name, to: nil) }
    readIterators.insert(name)
    guard let link = links.last(where: { $0.program == name })?.link else { return [] }
    return try link.readIterator()
  }

  /// Runs each attached iterator that has not run, once: nothing else makes the kernel call it.
  ///
  /// - Returns: what they wrote.
  func runIterators() throws(MoontraceError) -> [UInt8] {
    var written: [UInt8] = []
    let waiting = links.filter { $0.link.isIterator && !readIterators.contains($0.program) }
    for (name, link) in waiting {
      readIterators.insert(name)
      written += try link.readIterator()
    }
    return written
  }

  func detach(program: String) {
    for (name, link) in links where name == program { link.detach() }
    links.removeAll { $0.program == program }
  }

  /// Detaches all programs; maps and buffers stay readable.
  func detach() {
    for (_, link) in links { link.detach() }
    links.removeAll()
  }

  /// Detaches, delivers what the buffers still hold, and closes. Inside a handler nothing more is delivered, because
  /// handlers are not called from handlers.
  func closeInOrder() {
    detach()
    if !session.isDelivering {
      for buffer in buffers { while session.drain(buffer) {} }
    }
    close()
  }

  /// Gives programs and maps back to the kernel.
  func close() {
    detach()
    isClosed = true
    lostBeforeClose = lostEvents
    for buffer in buffers { buffer.close() }
    object.close()
    refreshMaps()
  }

  private func refreshMaps() {
    for (map, binding) in maps { binding.refresh(map) }
  }

  // MARK: Figures

  /// Events that programs could not send. Counted beside the programs; where a program sends from a function that
  /// can't be instrumented, what the kernel itself reports for perf buffers is the better lower bound.
  var lostEvents: UInt64 {
    let counted = object.programs.reduce(0) { $0 + $1.lostEvents }
    return max(lostBeforeClose, counted, buffers.reduce(0) { $0 + $1.reportedLosses })
  }

  /// How often each program ran and how long that took, a line each.
  func programStatistics() -> [String] {
    object.programs.compactMap(\.statisticsLine)
  }
}

extension BPFProgram {
  /// How often the program ran and how long that took; nil when the kernel does not say.
  var statisticsLine: String? {
    guard let figures = try? statistics() else { return nil }
    let mean = figures.meanNanoseconds.map { ", mean \(Int($0.rounded())) ns" } ?? ""
    let lost = lostEvents == 0 ? "" : ", \(lostEvents) events lost"
    return "program \(name): \(figures.runCount) runs\(mean)\(lost)"
  }
}

extension MapBinding {
  convenience init(_ map: BPFMap) {
    self.init(name: map.name, type: map.type, keySize: map.keySize, key: map.key, value: map.value)
    refresh(map)
  }

  func refresh(_ map: BPFMap) {
    refresh(descriptor: map.descriptor, valueSize: map.valueSize, maxEntries: map.maxEntries)
  }
}
