import CEventCore
import EventStream
import Glibc
import KernelLoader
import LuaRuntime
import Support

/// One run of one script: its runtime, what it loaded, and the loop that brings events to it.
///
/// A session belongs to the thread that made it. The way of a run: the script's main chunk registers programs,
/// handlers and timers; then the loop hands events over until something ends it; then programs are detached, what is
/// still in the buffers is delivered, and `at_exit` functions run.
final class TracingSession {
  let configuration: SessionConfiguration
  let source: ScriptSource
  let output: Output
  let diagnostics: Diagnostics
  let loop: EventLoop
  let runtime: LuaRuntime
  var objects: [TracedObject] = []
  var exitFunctions: [LuaFunction] = []
  var hasTimers = false
  let kernelSymbols = KernelSymbols()
  let userSymbols = UserSymbols()
  /// Probes written in Lua, and what they share.
  private(set) lazy var probes = ProbeSet(
    runtime, configuration, namer: ProbeNamer(kernelSymbols, userSymbols))
  /// The library's function that prints the aggregates which have not been printed.
  var printAggregates: LuaFunction?
  /// The library's function that prints what iterators of objects wrote.
  var iteratorOutput: LuaFunction?

  private(set) var delivered: UInt64 = 0
  /// While a buffer's records are handed over.
  private(set) var isDelivering = false
  private var losses = LossReporter()
  private var outcome: Int32 = 0
  private var isEnding = false
  /// While events are delivered. An error before that, or in an exit function, is the script's failure.
  private var isLive = false
  private var command: TracedCommand?
  private var signals: SignalSource?
  /// While it is held the kernel measures programs; nil without `--stats`.
  private var measuring: StatisticsCollection?
  /// While probes count by user stacks.
  private var stackProcesses: StackProcesses?

  init(_ source: ScriptSource, _ configuration: SessionConfiguration) throws(MoontraceError) {
    self.source = source
    self.configuration = configuration
    output = try Output(path: configuration.outputPath)
    diagnostics = Diagnostics(quiet: configuration.quiet, verbose: configuration.verbose)
    loop = try EventLoop()
    runtime = try LuaRuntime(
      output: output.buffer, format: configuration.format.core, modules: Library.module,
      permit: configuration.capabilities.refusal)
    let output = output
    diagnostics.beforeLine = { output.flush() }
  }

  /// Runs the script to its end; the process's exit code.
  func run() throws(MoontraceError) -> Int32 {
    if let pid = configuration.pid, kill(pid, 0) != 0, errno == ESRCH {
      throw MoontraceError(.usage, "--pid: there is no process \(pid)")
    }
    if configuration.statistics { measuring = try StatisticsCollection() }
    try defineScriptFunctions()
    do throws(LuaFailure) {
      try runtime.run(script: source.text, name: source.chunkName, arguments: arguments)
    } catch {
      note(error)
      if case .error = error { return finish(runsExitFunctions: false) }
      return finish(runsExitFunctions: true)
    }
    if let stage = configuration.dump {
      output.write(try probes.dump(stage))
      return finish(runsExitFunctions: false)
    }
    if hasSomethingToWaitFor {
      try goLive()
      isLive = true
      try loop.run()
    }
    return finish(runsExitFunctions: true)
  }

  /// What the script finds in `arg`.
  var arguments: [String] { source.leadingArguments + configuration.arguments }

  private var hasSomethingToWaitFor: Bool { !probes.isEmpty || hasOtherWork || hasIterators }

  private var hasOtherWork: Bool {
    hasTimers || configuration.command != nil || objects.contains(where: \.awaitsEvents)
  }

  private var hasIterators: Bool { probes.hasOnlyIterators || objects.contains(where: \.isAttached) }

  // MARK: The live part

  private func goLive() throws(MoontraceError) {
    for object in objects { try object.prepareStreams() }
    if !probes.isEmpty { try startProbes() }
    let signals = try SignalSource(loop: loop) { [unowned self] _ in end() }
    self.signals = signals
    output.interrupt(by: signals.descriptor)
    loop.idle = { [unowned self] in flushOutput() }
    if let duration = configuration.duration { loop.deadline = EventLoop.now() + UInt64(duration * 1e9) }
    if let pid = configuration.pid { try loop.watchExit(pid: pid) { [unowned self] in end() } }
    loop.every(nanoseconds: 1_000_000_000) { [unowned self] in reportLosses() }
    announceReadiness()
    try runIterators()
    if let text = configuration.command { try startCommand(text) }
    if hasIterators, probes.isEmpty || probes.hasOnlyIterators, !hasOtherWork { end() }
  }

  /// Nothing else makes the kernel call them.
  private func runIterators() throws(MoontraceError) {
    try probes.live?.runIterators(probes)
    for object in objects {
      let written = try object.runIterators()
      guard !written.isEmpty, let iteratorOutput else { continue }
      do throws(LuaFailure) {
        try runtime.call(iteratorOutput, [.string(written)])
      } catch {
        note(error)
      }
    }
  }

  private func startProbes() throws(MoontraceError) {
    do throws(MoontraceError) {
      let live = try LiveProbes(probes, in: self)
      probes.live = live
      try probes.storePending()
      if let events = live.events {
        for descriptor in events.descriptors {
          try loop.addSource(descriptor: descriptor, rests: events.isRoomy) { [unowned self] in
            drain(events)
          }
        }
      }
      try live.attach(probes) { diagnostics.note($0) }
      stackProcesses = StackProcesses(probes, userSymbols)
      stackProcesses?.watch(loop)
    } catch {
      throw asScriptError(error)
    }
  }

  private func startCommand(_ text: String) throws(MoontraceError) {
    let command = try TracedCommand(text)
    try loop.watchExit(pid: command.pid) { [unowned self] in end() }
    self.command = command
  }

  /// Ends the run in good order: the loop stops, and what the buffers hold is still delivered.
  func end() {
    loop.stop()
  }

  /// Ends the run with an exit code, at once: nothing more is delivered.
  func end(code: Int32) {
    outcome = code
    isEnding = true
    loop.stop()
  }

  private func flushOutput() {
    if !output.flush() { end(code: output.failure?.code.rawValue ?? 0) }
  }

  // MARK: Events

  /// Hands waiting records of one buffer to their consumer. True when the buffer may hold more.
  func drain(_ buffer: any RecordConsumer) -> Bool {
    var mayHoldMore = false
    let start = EventLoop.now()
    for source in buffer.sources where !isEnding {
      let limit = min(buffer.turns.records, remainingEvents)
      let taken = take(from: source, of: buffer, limit: limit)
      mayHoldMore = mayHoldMore || taken == limit
      if remainingEvents == 0 { end(code: outcome) }
      if output.hasFailed { flushOutput() }
    }
    if mayHoldMore { buffer.turns.turnTook(EventLoop.now() - start) }
    return mayHoldMore && !isEnding
  }

  private var remainingEvents: UInt64 {
    configuration.maxEvents.map { $0 - delivered } ?? .max
  }

  /// One batch; a handler's error is reported and the batch goes on behind it.
  private func take(
    from source: UnsafeMutablePointer<mt_source>, of buffer: any RecordConsumer, limit: UInt64
  ) -> UInt64 {
    var taken: UInt64 = 0
    isDelivering = true
    defer { isDelivering = false }
    while taken < limit, !isEnding {
      let outcome = buffer.drain(source, limit: limit - taken)
      taken += outcome.delivered
      delivered += outcome.delivered
      guard let failure = outcome.failure else { break }
      note(failure)
    }
    return taken
  }

  /// What a callback's failure means for the run.
  func note(_ failure: LuaFailure) {
    switch failure {
    case .exit(let code): end(code: code)
    case .error(var error):
      if error.code == .usage { error.location = nil }  // the command line is to blame, not a line of the script
      diagnostics.reportOnce(error)
      if configuration.strict || !isLive { end(code: error.code.rawValue) }
    }
  }

  /// Calls a script's function, outside of any event.
  func call(_ function: LuaFunction) {
    do throws(LuaFailure) {
      try runtime.call(function)
    } catch {
      note(error)
    }
  }

  // MARK: Losses

  private var lost: UInt64 {
    objects.reduce(probes.live?.lostEvents ?? 0) { $0 + $1.lostEvents }
  }

  private func reportLosses() {
    for line in probes.live?.failureNews() ?? [] { diagnostics.note(line) }
    guard let news = losses.news(of: lost) else { return }
    diagnostics.note(news.text)
    if configuration.format == .json { output.write("{\"lost\":\(news.count)}\n") }
  }

  // MARK: The end

  private func finish(runsExitFunctions: Bool) -> Int32 {
    output.interrupt(by: nil)
    signals?.close()  // a second Ctrl-C ends the process at once
    for object in objects { object.detach() }
    probes.live?.detach()
    if !isEnding { drainAll() }
    isLive = false
    if runsExitFunctions { exitFunctions.forEach(call) }
    if runsExitFunctions, probes.live != nil, let printAggregates { call(printAggregates) }
    command?.stop()
    reportLosses()
    diagnostics.summarizeRepeats()
    if let summary = LossReporter.summary(lost: lost, delivered: delivered) { diagnostics.note(summary) }
    if configuration.statistics { reportStatistics() }
    output.flush()
    if let failure = output.failure {
      diagnostics.report(failure)
      outcome = failure.code.rawValue
    }
    for object in objects { object.close() }
    probes.live?.close()
    return outcome
  }

  /// The sources' closures don't throw: what goes wrong in a handler is noted.
  private func drainAll() {
    guard (try? loop.drainSources(within: 1_000_000_000)) == false else { return }
    diagnostics.note("delivering what the buffers still hold; Ctrl-C ends at once")
    _ = try? loop.drainSources(within: .max)
  }

  private func reportStatistics() {
    diagnostics.note("events: \(delivered) delivered, \(lost) lost")
    for object in objects {
      for program in object.programStatistics() { diagnostics.note(program) }
    }
    for program in probes.live?.programs ?? [] {
      if let line = program.statisticsLine { diagnostics.note(line) }
    }
  }
}

/// Runs a script as the command line does; the process's exit code. Errors are told on stderr.
///
/// ```swift
/// let code = runSession(try .resolve("opensnoop"), SessionConfiguration())
/// ```
public func runSession(_ source: ScriptSource, _ configuration: SessionConfiguration) -> Int32 {
  signal(SIGPIPE, SIG_IGN)
  do throws(MoontraceError) {
    let session = try TracingSession(source, configuration)
    return try session.run()
  } catch {
    Diagnostics(quiet: configuration.quiet, verbose: configuration.verbose).report(error)
    return error.code.rawValue
  }
}
