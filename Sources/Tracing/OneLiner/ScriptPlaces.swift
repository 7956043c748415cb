/// Where the lines of a script that was made from a command line come from: each holds one token of it.
struct ScriptPlaces: Sendable {
  struct Place: Equatable, Sendable {
    /// `action 2`, `--if`.
    var part: String
    /// In the part, from 1; nil where it has only one.
    var line: Int?
    /// In characters, from 1; nil for the part as a whole.
    var column: Int?
    var token = ""
  }

  /// What Lua calls the script.
  static let chunk = "(trace)"
  /// By line from 1, `places[0]` being the first line's; nil for lines that nobody wrote.
  var places: [Place?] = []

  /// A text in which `(trace):12` says where on the command line that is.
  func translate(_ text: String) -> String {
    let pieces = text.split(separator: "\(Self.chunk):", omittingEmptySubsequences: false)
    guard pieces.count > 1, let first = pieces.first else { return text }
    return pieces.dropFirst().reduce(String(first)) { result, piece in
      let digits = piece.prefix { $0.isNumber }
      guard let line = Int(digits) else { return result + "\(Self.chunk):\(piece)" }
      let rest = piece.dropFirst(digits.count)
      return result + description(ofLine: line, message: rest) + rest
    }
  }

  /// `trace: action 2, column 14`.
  func description(ofLine line: Int, message: some StringProtocol = "") -> String {
    guard let place = place(ofLine: line, message: String(message)) else { return "trace" }
    let parts = [place.part, place.line.map { "line \($0)" }, place.column.map { "column \($0)" }]
    return "trace: " + parts.compactMap { $0 }.joined(separator: ", ")
  }

  /// The token of that line or, where the message quotes one that stands before it in the same part, that one: Lua
  /// counts what a token means to the line of the next.
  private func place(ofLine line: Int, message: String) -> Place? {
    guard places.indices.contains(line - 1), let told = places[line - 1] else { return nil }
    let pieces = message.split(separator: "\n").first?.split(separator: "'", omittingEmptySubsequences: false) ?? []
    let quoted = Set(stride(from: 1, to: pieces.count, by: 2).map { String(pieces[$0]) })
    let before = places[..<line].reversed().prefix { $0?.part == told.part }
    return before.lazy.compactMap { $0 }.first { quoted.contains($0.token) } ?? told
  }
}
