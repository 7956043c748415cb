/// `moontrace repl` at a terminal.
///
/// ```swift
/// let terminal = try ReplTerminal(["repl"])
/// try terminal.enter("1 + 1", then: "2>")
/// ```
final class ReplTerminal {
  private let window: TerminalSession

  /// Starts the executable under test; its home is a directory of the test's own unless told.
  init(_ arguments: [String], home: TemporaryDirectory? = nil, columns: Int = 100, rows: Int = 40) throws {
    let directory = try home ?? TemporaryDirectory()
    let command = ([MoontraceProcess.executable] + arguments).map(shellQuoted).joined(separator: " ")
    window = try TerminalSession(
      columns: columns, rows: rows,
      command: "HOME=\(directory.name) XDG_STATE_HOME= \(command); echo \"ended with $?\"; read line",
      directory: directory)
  }

  /// Types text, and then the keys by tmux's names: `Enter`, `Tab`, `C-c`.
  func type(_ text: String, _ keys: String...) throws {
    if !text.isEmpty { try window.type(text) }
    for key in keys { try window.press(key) }
  }

  /// Pastes text.
  func paste(_ text: String) throws { try window.paste(text) }

  /// Changes the size of the terminal.
  func resize(columns: Int, rows: Int) throws { try window.resize(columns: columns, rows: rows) }

  /// What the screen shows, and what has left it at the top; without empty lines at the end.
  func screen() throws -> String {
    var lines = try window.history()
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.joined(separator: "\n")
  }

  /// Waits until the screen is as wanted; the screen.
  @discardableResult
  func wait(for what: String, _ condition: (String) -> Bool) throws -> String {
    try window.wait(until: what) { _ in condition(try screen()) }
    return try screen()
  }

  @discardableResult
  func wait(for text: String) throws -> String {
    try wait(for: text) { $0.contains(text) }
  }

  /// Enters a line, and waits for the prompt after it.
  @discardableResult
  func enter(_ line: String, then prompt: String) throws -> String {
    try type(line, "Enter")
    return try wait(for: prompt) { $0.split(separator: "\n").last.map(String.init) == prompt }
  }
}
