import Glibc
import Support

/// The lines that were entered, one a line of a file, kept from session to session. What was pasted and has lines of its
/// own is one too.
struct HistoryFile {
  /// Lines that are kept.
  static let limit = 2000
  /// Stands for a line's end inside of an entry: ASCII's unit separator.
  private static let separator = "\u{1f}"

  /// nil when there is no place for it.
  let path: String?

  init(path: String?) {
    self.path = path
  }

  /// `$XDG_STATE_HOME/moontrace/history`, or the same below `~/.local/state`.
  static var standard: HistoryFile {
    func value(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    let state = value("XDG_STATE_HOME") ?? value("HOME").map { "\($0)/.local/state" }
    return HistoryFile(path: state.map { "\($0)/moontrace/history" })
  }

  /// The lines of earlier sessions, the oldest first; the file is cut when it holds many more.
  func load() -> [String] {
    guard let path, let bytes = try? readFile(path) else { return [] }
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    guard lines.count > 2 * Self.limit else { return Self.entries(lines) }
    let kept = Array(lines.suffix(Self.limit))
    try? writeFile(path, Array(kept.map { "\($0)\n" }.joined().utf8), mode: 0o600)
    return Self.entries(kept)
  }

  private static func entries(_ lines: [String]) -> [String] {
    lines.suffix(limit).map { $0.replacing(separator, with: "\n") }
  }

  /// Adds a line. A history that can't be written is no reason to stop.
  func append(_ line: String) {
    guard let path else { return }
    var descriptor = Self.open(path)
    if descriptor < 0 {
      Self.makeDirectories(above: path)
      descriptor = Self.open(path)
    }
    guard descriptor >= 0 else { return }
    let file = OwnedDescriptor(descriptor)
    let entry = line.replacing("\n", with: Self.separator)
    try? writeAll(file.number, Array("\(entry)\n".utf8), name: path)
  }

  /// What is typed may be nobody else's business.
  private static func open(_ path: String) -> Int32 {
    Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
  }

  private static func makeDirectories(above path: String) {
    var directory = ""
    for part in path.split(separator: "/").dropLast() {
      directory += "/\(part)"
      mkdir(directory, 0o700)
    }
  }
}
