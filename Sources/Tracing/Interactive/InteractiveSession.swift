import EventStream
import Glibc
import LuaRuntime
import Support

/// A session at a keyboard: it takes Lua in chunks, and what a chunk registers is live when the chunk has run.
///
/// A session belongs to the thread that made it. Chunks are numbered by lines, as if they were one text: errors name
/// `repl:LINE`.
///
/// ```swift
/// let session = try InteractiveSession(configuration)
/// try session.listen(to: STDIN_FILENO)
/// while try session.wait() == .input { … session.evaluate(line) … }
/// exit(session.finish())
/// ```
public final class InteractiveSession {
  /// What became of a chunk.
  public enum Outcome: Equatable {
    /// The text of its value, if it had one; and the numbers of the probes that it attached.
    case done(value: String?, probes: [Int])
    /// The session is as before, but for variables that the chunk has assigned to.
    case failed(MoontraceError)
    /// It called `exit`.
    case ended
  }

  /// Why waiting ended.
  public enum Wake: Equatable, Sendable {
    /// The descriptor can be read.
    case input
    /// Ctrl-C.
    case interrupted
    /// The terminal has changed its size.
    case resized
    /// The process goes on after Ctrl-Z.
    case resumed
    /// The session is over: `--duration`, `--pid`, `exit`, SIGTERM.
    case ended
  }

  let session: TracingSession
  private let interrupts: SignalSource
  private let otherSignals: SignalSource
  private let wakes: Wakes
  private var evaluator: LuaFunction?
  var lister: LuaFunction?
  var probeNames: LuaFunction?
  /// The chunks that succeeded, in order.
  public private(set) var chunks: [Chunk] = []
  /// The line of the session's text that the next chunk begins on.
  public private(set) var nextLine = 1

  /// What signals and descriptors have said since the last wait.
  private final class Wakes {
    var last: Wake?

    /// Ends waits of the loop when signals come.
    func end(_ loop: EventLoop, on signals: [Int32: Wake]) throws(MoontraceError) -> SignalSource {
      try SignalSource(Array(signals.keys), loop: loop) { [unowned loop] signal in
        self.last = signals[signal]
        loop.stop()
      }
    }
  }

  /// Opens a session.
  ///
  /// - Throws: what is wrong with the configuration, such as a `--pid` of no process.
  public init(_ configuration: SessionConfiguration) throws(MoontraceError) {
    guard configuration.dump == nil else {
      throw MoontraceError(
        .usage, "--dump: a session attaches what it is given", remedy: "use: moontrace run --dump … -e 'LUA'")
    }
    guard !configuration.top else {
      throw MoontraceError(
        .usage, "--top: the keyboard and the screen are the session's own",
        remedy: "use: moontrace run --top … -e 'LUA'")
    }
    signal(SIGPIPE, SIG_IGN)
    let session = try TracingSession(ScriptSource(text: [], name: "repl"), configuration)
    let wakes = Wakes()
    self.session = session
    self.wakes = wakes
    interrupts = try wakes.end(session.loop, on: [SIGINT: .interrupted])
    otherSignals = try wakes.end(session.loop, on: [SIGTERM: .ended, SIGWINCH: .resized, SIGCONT: .resumed])
    try prepare()
  }

  private func prepare() throws(MoontraceError) {
    try session.prepare()
    try session.watchForEnds()
    session.isLive = true
    session.runtime.interrupt(by: interrupts.descriptor)
    guard let interaction = session.interaction else { return }
    do throws(LuaFailure) {
      try session.runtime.run(script: [], name: session.source.chunkName, arguments: session.configuration.arguments)
      try session.runtime.call(interaction)
    } catch {
      throw error.asError
    }
    (evaluator, lister, probeNames) = session.keyboard
  }

  /// Shares the terminal: `terminal` is told before and after the session writes there.
  public func share(_ terminal: any SharedTerminal) {
    session.terminal = terminal
    session.hooks.willAppear = { [weak terminal] in terminal?.hide() }
  }

  // MARK: Waiting

  /// Lets `wait` end when a descriptor can be read. Throws for what can't be polled: regular files.
  public func listen(to descriptor: Int32) throws(MoontraceError) {
    try session.loop.add(descriptor: descriptor) { [unowned session, wakes] in
      wakes.last = .input
      session.loop.stop()
    }
  }

  /// Hands over events and fires timers until there is something to do.
  ///
  /// - Throws: what went wrong in the loop itself; errors of handlers are told on stderr.
  public func wait() throws(MoontraceError) -> Wake {
    wakes.last = nil
    if session.isEnding { return .ended }
    try session.loop.run()
    return wakes.last ?? .ended
  }

  // MARK: Chunks

  /// Whether a text is no chunk yet, but may become one by lines that follow.
  public func isUnfinished(_ text: String) -> Bool {
    let expression = String(decoding: Self.valued(Array(text.utf8)), as: UTF8.self)
    var lacksItsEnd = false
    for whole in [expression, text] {
      do throws(LuaSyntax.Mistake) {
        // A line that has been entered ends with its newline: a string that is still open there is a mistake.
        _ = try LuaSyntax.compile(whole + "\n")
        return false
      } catch {
        lacksItsEnd = lacksItsEnd || error.isEnd
      }
    }
    return lacksItsEnd
  }

  /// Runs a chunk and makes live what it has registered. An expression has a value, which is shown.
  public func evaluate(_ text: String) -> Outcome {
    let lineCount = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
    session.source.text += Array("\(text)\n".utf8)
    defer {
      nextLine += lineCount
      interrupts.discard()  // they were for this chunk
    }
    let batchCount = session.probes.batches.count
    do throws(LuaFailure) {
      let (value, kind) = try session.register { () throws(LuaFailure) in try run(text) }
      chunks.append(Chunk(text: text, kind: kind))
      let batches = session.probes.batches.dropFirst(batchCount)
      try startWork()
      session.output.flush()
      let numbers = batches.flatMap(\.registrations).map(\.number)
      return .done(value: value, probes: Set(numbers).sorted())
    } catch {
      return outcome(of: error)
    }
  }

  private func outcome(of failure: LuaFailure) -> Outcome {
    session.output.flush()
    if case .error(let error) = failure { return .failed(error) }
    session.note(failure)
    return .ended
  }

  private func run(_ text: String) throws(LuaFailure) -> (value: String?, kind: Chunk.Kind) {
    guard let evaluator else { return (nil, .statement) }
    let (chunk, kind) = try load(Array(text.utf8))
    let value = try session.runtime.call(evaluator, [.function(chunk)]).first?.text
    return (value, kind)
  }

  private func load(_ text: [UInt8]) throws(LuaFailure) -> (LuaFunction, Chunk.Kind) {
    let place = [UInt8](repeating: UInt8(ascii: "\n"), count: nextLine - 1)
    let name = session.source.chunkName
    if let chunk = try? session.runtime.function(of: place + Self.valued(text), name: name) {
      let isStatement = (try? session.runtime.function(of: text, name: name)) != nil
      return (chunk, isStatement ? .statement : .expression)
    }
    let chunk = try session.runtime.function(of: place + text, name: name)
    // A return is the last statement of its block.
    let returns = (try? session.runtime.function(of: text + Array("\nlocal _".utf8), name: name)) == nil
    return (chunk, returns ? .returning : .statement)
  }

  /// The text as an expression. It comes second, so that a call in it is no tail call: the chunk stays on the stack,
  /// and errors have their line.
  private static func valued(_ text: [UInt8]) -> [UInt8] {
    Array("return nil, ".utf8) + text + [UInt8(ascii: "\n")]
  }

  private func startWork() throws(LuaFailure) {
    do throws(MoontraceError) {
      guard !session.probes.isEmpty || session.objects.contains(where: \.isAttached) else { return }
      if session.hasStarted { try session.runIterators() } else { try session.startWork() }
    } catch {
      throw .error(error)
    }
  }

  // MARK: Telling

  /// Tells of an error on stderr.
  public func report(_ error: MoontraceError) {
    session.diagnostics.report(error)
  }

  /// Says something on stderr that the user should know; not with `--quiet`.
  public func note(_ text: String) {
    session.diagnostics.note(text)
  }

  /// Writes text, with a line's end, to stdout behind what the session has printed.
  public func say(_ text: String) {
    session.output.flush()
    session.terminal?.hide()
    try? writeAll(STDOUT_FILENO, Array("\(text)\n".utf8), name: "stdout")
  }

  /// Ends the session in good order, as Ctrl-C ends a run: probes are detached, what the buffers hold is delivered,
  /// `at_exit` functions run, aggregates that have not been printed are. The process's exit code.
  public func finish() -> Int32 {
    session.runtime.interrupt(by: nil)
    interrupts.close()  // a second Ctrl-C ends the process at once
    otherSignals.close()
    return session.finish(runsExitFunctions: true)
  }
}

extension TracingSession {
  /// The host functions that the library's part for keyboards needs.
  func defineInteraction() {
    let session = self
    runtime.define("on_interaction") { [unowned session] call throws(MoontraceError) in
      session.interaction = try call.function(1)
      return []
    }
    runtime.define("on_keyboard") { [unowned session] call throws(MoontraceError) in
      session.keyboard = (try call.function(1), try call.function(2), try call.function(3))
      return []
    }
  }
}
