import Glibc
import Support
import Tracing

/// Reads Lua and commands, runs them, shows what comes of them, and so on until the input ends.
final class REPL {
  /// What is to be done after a line.
  private enum Step {
    case goOn
    /// With this exit code, or the session's own.
    case end(Int32?)
  }

  private let session: InteractiveSession
  private let commands: Commands
  /// Whether somebody types; otherwise the first failure ends the session, as it ends a script.
  private let isInteractive: Bool
  /// The lines of the chunk that is not complete yet, each with its end.
  private var lines = ""

  init(_ session: InteractiveSession, isInteractive: Bool) {
    self.session = session
    self.isInteractive = isInteractive
    commands = Commands(session: session)
  }

  /// The process's exit code.
  func run() throws(MoontraceError) -> Int32 {
    let reader = try makeReader()
    while true {
      guard case .end(let code) = take(reader.next(prompt: prompt)) else { continue }
      let own = session.finish()
      return code ?? own
    }
  }

  private func makeReader() throws(MoontraceError) -> any LineReader {
    guard isInteractive else { return PipedLines(session) }
    let completer = Completer(session: session) { [unowned self] in lines }
    let editor = try LineEditor(session) { completer.complete($0) }
    session.share(editor)
    return editor
  }

  /// The number of the line that is asked for.
  private var prompt: String {
    let count = lines.utf8.count { $0 == UInt8(ascii: "\n") }
    return "\(session.nextLine + count)\(lines.isEmpty ? ">" : "|") "
  }

  private func take(_ input: InputLine) -> Step {
    switch input {
    case .text(let line): return take(line)
    case .interrupted:
      lines = ""
      return .goOn
    case .over: return .end(nil)
    case .end:
      guard !lines.isEmpty, !isInteractive else { return .end(nil) }
      guard case .goOn = evaluate() else { return .end(1) }
      return .end(nil)
    }
  }

  private func take(_ line: String) -> Step {
    if lines.isEmpty {
      if line.trimmed.isEmpty { return .goOn }
      if line.hasPrefix(":") { return takeCommand(line) }
    }
    lines += line + "\n"
    return session.isUnfinished(lines) ? .goOn : evaluate()
  }

  /// A command, and what has been pasted with it on lines below.
  private func takeCommand(_ line: String) -> Step {
    let parts = line.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let step = runCommand(parts[0])
    guard case .goOn = step, parts.count == 2 else { return step }
    return take(parts[1])
  }

  private func evaluate() -> Step {
    let text = String(lines.dropLast())
    lines = ""
    switch session.evaluate(text) {
    case .done(let value, let numbers):
      tell(of: numbers)
      if let value, numbers.isEmpty { session.say(value) }
      return .goOn
    case .failed(let error): return failed(error)
    case .ended: return .end(nil)
    }
  }

  private func tell(of numbers: [Int]) {
    for probe in session.probes where numbers.contains(probe.number) {
      let places = probe.placeCount == 1 ? "" : " (\(probe.placeCount) places)"
      session.note("probe \(probe.number): \(probe.specs.joined(separator: ", "))\(places)")
    }
  }

  private func runCommand(_ line: String) -> Step {
    do throws(MoontraceError) {
      let command = try Command(line)
      if command == .quit { return .end(nil) }
      session.say(try commands.run(command))
      return .goOn
    } catch {
      return failed(error)
    }
  }

  private func failed(_ error: MoontraceError) -> Step {
    session.report(error)
    return isInteractive ? .goOn : .end(error.code.rawValue)
  }
}

/// Runs a session at a keyboard, or with the Lua that comes on standard input; the process's exit code.
///
/// - Throws: what is wrong with the configuration, or with the terminal.
public func runREPL(_ configuration: SessionConfiguration) throws(MoontraceError) -> Int32 {
  let session = try InteractiveSession(configuration)
  let isInteractive = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
  return try REPL(session, isInteractive: isInteractive).run()
}
