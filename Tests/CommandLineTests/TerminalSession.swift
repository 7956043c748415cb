import Glibc
import Support

/// A program on a real terminal: a window of a tmux server of this value's own.
///
/// ```swift
/// let terminal = try TerminalSession(columns: 80, rows: 24)
/// try terminal.start("moontrace run --top …")
/// try terminal.waitFor("COUNT")
/// try terminal.type("q")
/// ```
final class TerminalSession {
  struct TimedOut: Error, CustomStringConvertible {
    var description: String
  }

  private let socket: String
  private let directory: TemporaryDirectory
  /// What the shell prints before each command, at the start of its line.
  static let prompt = "READY>"

  /// Opens a window with a shell in it, and waits for its prompt.
  ///
  /// - Parameter environment: `NAME=VALUE` texts for what runs there; `NO_COLOR` and the like are not inherited.
  convenience init(columns: Int = 100, rows: Int = 24, environment: [String] = []) throws {
    let directory = try TemporaryDirectory()
    // AddressSanitizer must not take SIGSEGV, from which the terminal is given back.
    let profile = try directory.write(
      "profile",
      """
      PS1='\(Self.prompt) '
      unset NO_COLOR HISTFILE
      export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS="$ASAN_OPTIONS:handle_segv=0"

      """)
    let shell = (["/usr/bin/env"] + environment + ["/bin/bash", "--noprofile", "--rcfile", profile, "-i"])
    try self.init(
      columns: columns, rows: rows, command: shell.map(shellQuoted).joined(separator: " "), directory: directory)
    try waitFor(Self.prompt)
  }

  /// Opens a window in which a command of the shell runs, and nothing else.
  init(columns: Int, rows: Int, command: String, directory: TemporaryDirectory) throws {
    self.directory = directory
    // Another server of the directory may not be gone yet.
    socket = directory.path("socket\(UInt32.random(in: 0 ... .max))")
    let size = ["-x", String(columns), "-y", String(rows)]
    try tmux(["-f", "/dev/null", "new-session", "-d"] + size + [command])
  }

  deinit {
    _ = try? tmux(["kill-server"])
  }

  // MARK: Doing

  /// Types a command line and Return.
  func start(_ command: String) throws {
    try type(command)
    try press("Enter")
  }

  /// Types text as it is.
  func type(_ text: String) throws { try tmux(["send-keys", "-l", "--", text]) }

  /// Pastes text, as one piece where the program has asked for that.
  func paste(_ text: String) throws {
    try tmux(["set-buffer", "-b", "pasted", "--", text])
    try tmux(["paste-buffer", "-p", "-b", "pasted"])
  }

  /// Presses keys by tmux's names: `Enter`, `Left`, `C-c`.
  func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

  /// Makes the window larger or smaller.
  func resize(columns: Int, rows: Int) throws {
    try tmux(["resize-window", "-x", String(columns), "-y", String(rows)])
  }

  // MARK: Seeing

  /// What the window shows, a line each, without blanks at their ends.
  func screen() throws -> [String] { try capture([]) }

  /// The same with the control sequences of colours.
  func colors() throws -> [String] { try capture(["-e"]) }

  /// What the window shows and has shown before, as far as it scrolled.
  func history() throws -> [String] { try capture(["-S", "-"]) }

  private func capture(_ options: [String]) throws -> [String] {
    try tmux(["capture-pane", "-p"] + options).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// Waits until the screen is as wanted, and returns it; throws with what it shows when that takes too long.
  @discardableResult
  func wait(
    seconds: Int = 60, until what: String, _ isDone: ([String]) throws -> Bool
  ) throws -> [String] {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var shown = try screen()
    while try !isDone(shown), ContinuousClock.now < deadline {
      usleep(50_000)  // tmux tells nobody when a window changes
      shown = try screen()
    }
    if try isDone(shown) { return shown }
    throw TimedOut(description: "\(what) did not come; the terminal shows:\n\(shown.joined(separator: "\n"))")
  }

  /// Waits until a line of the screen contains a text.
  @discardableResult
  func waitFor(_ text: String, seconds: Int = 60) throws -> [String] {
    try wait(seconds: seconds, until: "'\(text)'") { lines in lines.contains { $0.contains(text) } }
  }

  /// Waits until the shell asks for the next command: the last line is its prompt.
  @discardableResult
  func waitForPrompt() throws -> [String] {
    try wait(until: "the shell's prompt") { $0.last { !$0.isEmpty }?.trimming == Self.prompt }
  }

  // MARK: tmux

  /// Runs a command on this value's server; what it prints.
  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    let path = directory.path("tmux")
    let output = OwnedDescriptor(
      try check("create \(path)") { open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) })
    let status = try Subprocess(
      "tmux", ["-S", socket] + arguments, descriptors: [1: output.number, 2: output.number],
      environment: ["TMUX=", "LC_ALL=C.UTF-8"]
    ).wait()
    let text = String(decoding: try readFile(path), as: UTF8.self)
    guard status == 0 else { throw TimedOut(description: "tmux \(arguments.joined(separator: " ")): \(text)") }
    return text
  }
}

/// A word as a shell reads it whole.
func shellQuoted(_ word: String) -> String {
  "'" + word.replacing("'", with: "'\\''") + "'"
}
