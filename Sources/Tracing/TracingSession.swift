import CEventCore
import EventStream
import Glibc
import KernelLoader
import LuaRuntime
import Recipes
import Support

/// One run of one script: its runtime, what it loaded, and the loop that brings events to it.
///
/// A session belongs to the thread that made it. The way of a run: the script's main chunk registers programs,
/// handlers and timers; what it registered goes live; then the loop hands events over until something ends it; then
/// programs are detached, what is still in the buffers is delivered, and `at_exit` functions run. At a keyboard
/// (`InteractiveSession`) there are many chunks, each of which goes live when it has run.
final class TracingSession {
  let configuration: SessionConfiguration
  /// The script; at a keyboard, all that has been entered.
  var source: ScriptSource
  let output: Output
  let diagnostics: Diagnostics
  /// Called around text that appears on the terminal.
  let hooks = TextHooks()
  let loop: EventLoop
  let runtime: LuaRuntime
  var objects: [TracedObject] = []
  /// What the script has declared by `recipe`.
  var header: RecipeHeader?
  var exitFunctions: [LuaFunction] = []
  /// Timers that main chunks have started.
  var timers: [TimerID] = []
  let kernelSymbols = KernelSymbols()
  let userSymbols = UserSymbols()
  /// Probes written in Lua, and what they share.
  private(set) lazy var probes = ProbeSet(
    runtime, configuration, namer: ProbeNamer(kernelSymbols, userSymbols))
  /// What the script may do.
  let grants: Grants
  /// Collects what the report shows; nil without `--report`.
  var recorder: RunRecorder?
  /// The library's function that prints the aggregates which have not been printed.
  var printAggregates: LuaFunction?
  /// With `--top`.
  private(set) lazy var top = configuration.top ? TopRun(configuration) : nil
  /// The library's function that prints what iterators of objects wrote.
  var iteratorOutput: LuaFunction?
  /// The library's function that loads what a session at a keyboard needs of it.
  var interaction: LuaFunction?
  /// Its functions: one calls a chunk and gives its value's text, one lists names behind a path, one the names of
  /// values that only probes have.
  var keyboard: (evaluate: LuaFunction?, members: LuaFunction?, probeNames: LuaFunction?)
  /// What else is on the terminal that output goes to.
  weak var terminal: (any SharedTerminal)?

  private(set) var delivered: UInt64 = 0
  /// While a buffer's records are handed over.
  private(set) var isDelivering = false
  private var losses = LossReporter()
  private var outcome: Int32 = 0
  private(set) var isEnding = false
  /// While events are delivered. An error before that, or in an exit function, is the script's failure.
  var isLive = false
  private(set) var hasStarted = false
  private var command: TracedCommand?
  var signals: SignalSource?
  /// While the run is live, where one may stand.
  private var status: TerminalStatus?
  /// When the probes went live, of the loop's clock.
  private var liveSince: UInt64 = 0
  /// While it is held the kernel measures programs; nil without `--stats`.
  private var measuring: StatisticsCollection?
  /// While probes count by user stacks.
  private var stackProcesses: StackProcesses?

  init(_ source: ScriptSource, _ configuration: SessionConfiguration) throws(MoontraceError) {
    self.source = source
    self.configuration = configuration
    output = try Output(path: configuration.outputPath, hooks: hooks, color: configuration.color)
    diagnostics = Diagnostics(
      quiet: configuration.quiet, verbose: configuration.verbose, color: configuration.color, hooks: hooks,
      places: source.places)
    loop = try EventLoop()
    grants = Grants(configuration.capabilities)
    recorder = try configuration.reportPath.map { path throws(MoontraceError) in try RunRecorder(path: path) }
    runtime = try LuaRuntime(
      output: output.buffer, format: configuration.format.core, modules: Library.module,
      permit: grants.refusal)
    if recorder != nil { try runtime.keepTranscript(limit: RunRecorder.mostPrinted) }
    let output = output
    diagnostics.beforeLine = { output.flush() }
  }

  /// Runs the script to its end; the process's exit code.
  func run() throws(MoontraceError) -> Int32 {
    try prepare()
    do throws(LuaFailure) {
      try runMainChunk()
    } catch {
      note(error)
      if case .error = error {
        recorder = nil
        return finish(runsExitFunctions: false)
      }
      return finish(runsExitFunctions: true)
    }
    if let stage = configuration.dump {
      recorder = nil
      let text = try probes.dump(stage, objects)
      output.write(source.places?.translate(text) ?? text)
      return finish(runsExitFunctions: false)
    }
    if hasSomethingToWaitFor {
      defer { leaveTerminal() }
      try checkTop()
      let start = EventLoop.now()
      try commit()
      loop.delayTimers(by: EventLoop.now() - start)  // an interval begins when the probes are live
      try watchSignals()
      try watchForEnds()
      try startWork()
      if hasIterators, probes.isEmpty || probes.hasOnlyIterators, !hasOtherWork { end() }
      isLive = true
      try loop.run()
    }
    return finish(runsExitFunctions: true)
  }

  /// All that comes before the first chunk.
  func prepare() throws(MoontraceError) {
    if let pid = configuration.pid, kill(pid, 0) != 0, errno == ESRCH {
      throw MoontraceError(.usage, "--pid: there is no process \(pid)")
    }
    if configuration.statistics { measuring = try StatisticsCollection() }
    if configuration.tracePipe, !configuration.attachesNothing { try openTracePipe() }
    try defineScriptFunctions()
  }

  /// What the script finds in `arg`.
  var arguments: [String] { configuration.arguments }

  private var hasSomethingToWaitFor: Bool { !probes.isEmpty || hasOtherWork || hasIterators }

  private var hasOtherWork: Bool {
    !timers.isEmpty || configuration.command != nil || objects.contains(where: \.awaitsEvents)
  }

  private var hasIterators: Bool { probes.hasOnlyIterators || objects.contains(where: \.isAttached) }

  // MARK: The live part

  /// Makes live what a chunk has registered.
  ///
  /// - Throws: what can't be; `rollBack` forgets it then.
  func commit(since checkpoint: ProbeSet.Checkpoint? = nil) throws(MoontraceError) {
    for object in objects { try object.prepareStreams() }
    let batchCount = probes.batches.count
    do throws(MoontraceError) {
      try probes.commit(since: checkpoint, in: self)
    } catch {
      throw asScriptError(error)
    }
    guard probes.batches.count > batchCount else { return }
    stackProcesses = StackProcesses(probes, userSymbols)
    stackProcesses?.watch(loop)
  }

  private func watchSignals() throws(MoontraceError) {
    let endings = [SIGINT, SIGTERM] + (top?.isScreen == true ? [SIGHUP, SIGQUIT] : [])
    let signals = try SignalSource(endings, loop: loop) { [unowned self] _ in end() }
    self.signals = signals
    output.interrupt(by: signals.descriptor)
  }

  /// Sees to it that the loop ends when it should, and that meanwhile what must be told is told.
  func watchForEnds() throws(MoontraceError) {
    loop.idle = { [unowned self] in flushOutput() }
    if let duration = configuration.duration { loop.deadline = EventLoop.now() + UInt64(duration * 1e9) }
    if let pid = configuration.pid { try loop.watchExit(pid: pid) { [unowned self] in end() } }
    loop.every(nanoseconds: 1_000_000_000) { [unowned self] in
      reportLosses()
      showProgress()
    }
  }

  /// Once the first probes are live.
  func startWork() throws(MoontraceError) {
    recorder?.begin()
    announceReadiness()
    try takeTerminal()
    try runIterators()
    hasStarted = true
    if let text = configuration.command { try startCommand(text) }
  }

  /// Runs those iterators once that have not run: nothing else makes the kernel call them.
  func runIterators() throws(MoontraceError) {
    for batch in probes.batches { try batch.runIterators() }
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

  private func startCommand(_ text: String) throws(MoontraceError) {
    let command = try TracedCommand(text, isSilent: top?.screen != nil)
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

  func flushOutput() {
    top?.screen?.absorb()
    if !output.flush() { end(code: output.failure?.code.rawValue ?? 0) }
    terminal?.show()
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
      let outcome = buffer.drain(recorder?.tap(source, of: buffer) ?? source, limit: limit - taken)
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

  var lost: UInt64 {
    objects.reduce(0) { $0 + $1.lostEvents } + probes.batches.reduce(0) { $0 + $1.lostEvents }
  }

  private func reportLosses() {
    for batch in probes.batches {
      for line in batch.failureNews() { diagnostics.note(line) }
    }
    recorder?.lostSoFar(lost)
    guard let news = losses.news(of: lost) else { return }
    diagnostics.note(news.text)
    if configuration.format == .json { output.write("{\"lost\":\(news.count)}\n") }
  }

  // MARK: The terminal

  /// Shows how the run goes on from here: the live view, or a status line, unless the terminal is the command's too.
  private func takeTerminal() throws(MoontraceError) {
    liveSince = EventLoop.now()
    if top?.isScreen == true {
      try openTopScreen()
    } else if terminal == nil, !configuration.quiet, configuration.command == nil {
      status = try TerminalStatus(
        data: output.descriptor, style: TextStyle(configuration.color, for: STDERR_FILENO), hooks: hooks,
        loop: loop)
    }
  }

  private func showProgress() {
    let run = RunProgress(
      events: delivered, lost: lost, elapsed: EventLoop.now() - liveSince, duration: configuration.duration,
      hasEvents: probes.events != nil || objects.contains { !$0.buffers.isEmpty })
    top?.tick(run, output, call: call)
    status?.update(run)
  }

  private func leaveTerminal() {
    status?.close()
    status = nil
    top?.screen?.close()
    top?.screen = nil
  }

  // MARK: The end

  func finish(runsExitFunctions: Bool) -> Int32 {
    output.interrupt(by: nil)
    signals?.close()  // a second Ctrl-C ends the process at once
    for object in objects { object.detach() }
    for batch in probes.batches { batch.detach() }
    if !isEnding { drainAll() }
    isLive = false
    if runsExitFunctions { exitFunctions.forEach(call) }
    if runsExitFunctions, !probes.batches.isEmpty, let printAggregates { call(printAggregates) }
    command?.stop()
    reportLosses()
    diagnostics.summarizeRepeats()
    if let summary = LossReporter.summary(lost: lost, delivered: delivered) { diagnostics.note(summary) }
    if configuration.statistics { reportStatistics() }
    writeReport()
    output.flush()
    if let failure = output.failure {
      diagnostics.report(failure)
      outcome = failure.code.rawValue
    }
    for object in objects { object.close() }
    for batch in probes.batches { batch.close() }
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
    for program in probes.batches.flatMap(\.programs) {
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
    Diagnostics(
      quiet: configuration.quiet, verbose: configuration.verbose, color: configuration.color, places: source.places
    ).report(error)
    return error.code.rawValue
  }
}
