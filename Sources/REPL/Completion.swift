/// What may stand where the cursor is.
struct Completion: Equatable {
  /// What is typed of it already.
  var start: String
  /// Texts that begin with `start`, without repeats, in the order in which they are listed.
  var candidates: [String]

  /// Candidates that the user is shown.
  private static let listed = 200

  init(start: String, candidates: [String]) {
    self.start = start
    var seen: Set<String> = []
    self.candidates = candidates.filter { $0.hasPrefix(start) && seen.insert($0).inserted }
  }

  static let none = Completion(start: "", candidates: [])

  /// What all candidates go on with.
  var insertion: String {
    guard let first = candidates.first else { return "" }
    let common = candidates.dropFirst().reduce(first) { common, candidate in
      String(zip(common, candidate).prefix { $0 == $1 }.map(\.0))
    }
    return String(common.dropFirst(start.count))
  }

  /// The candidates in columns, in lines that are no longer than the terminal is wide.
  func listing(columns: Int) -> String {
    let shown = candidates.prefix(Self.listed)
    let width = 2 + (shown.map(\.count).max() ?? 0)
    let perLine = max(1, (columns - 1) / width)
    let lineCount = (shown.count + perLine - 1) / perLine
    var text = ""
    for line in 0..<lineCount {
      let row = stride(from: line, to: shown.count, by: lineCount).map { shown[$0] }
      let padded = row.dropLast().map { $0 + String(repeating: " ", count: width - $0.count) }
      text += padded.joined() + (row.last ?? "") + "\n"
    }
    let rest = candidates.count - shown.count
    return rest > 0 ? text + "… \(rest) more\n" : text
  }
}
