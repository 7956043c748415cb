/// Collects what timers print for a live view: each timer's last output is a part of the picture.
final class TopPicture {
  private static let longestLog = 200
  /// Bytes of a text that the log looks at: more than it can show.
  private static let longestText = 65_536

  private var parts: [Int: [TopBlock]] = [:]
  private var collected: [TopBlock] = []
  /// What was printed outside of timers, such as events: the last lines of it.
  private var log: [String] = []
  /// The last line of the log, while its end has not come.
  private var openLine = ""
  private(set) var isCollecting = false

  /// Collects what `body` prints as the part of one timer; 0 is that of the aggregates, which timers that print take the
  /// place of. Nothing printed leaves the part as it was. Whether there was anything.
  ///
  /// - Parameter text: takes what has been printed as text since it was called before.
  func collect(part: Int, text: () -> String, _ body: () -> Void) -> Bool {
    addToLog(text())
    isCollecting = true
    body()
    isCollecting = false
    add(text: text())
    guard !collected.isEmpty else { return false }
    if part > 0 { parts[0] = nil }
    parts[part] = collected
    collected = []
    return true
  }

  /// Text, from what was collected before to here.
  func add(text: String) {
    guard !text.isEmpty else { return }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    if case .text(let before) = collected.last {
      collected[collected.count - 1] = .text(before + lines)
    } else {
      collected.append(.text(lines))
    }
  }

  func add(_ table: TopTable) {
    collected.append(.table(table))
  }

  /// One more row for the table that stands last, if it has the same columns; otherwise of a new one.
  func add(row: [TopTable.Cell], columns: [String]) {
    guard case .table(var table) = collected.last, table.columns == columns else {
      return collected.append(.table(TopTable(columns: columns, rows: [row])))
    }
    collected.removeLast()  // so that the rows have one owner and are not copied
    table.rows.append(row)
    collected.append(.table(table))
  }

  func addToLog(_ text: String) {
    guard !text.isEmpty else { return }
    let end = String(decoding: text.utf8.suffix(Self.longestText), as: UTF8.self)
    var lines = (openLine + end).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    openLine = String(lines.removeLast().suffix(4096))
    log = Array((log + lines).suffix(Self.longestLog))
  }

  /// Parts of timers in the order they were made, and what else was printed at the end.
  func blocks(logLines: Int) -> [TopBlock] {
    let pieces = parts.keys.sorted().flatMap { parts[$0] ?? [] }
    return log.isEmpty ? pieces : pieces + [.text(log.suffix(max(1, logLines)))]
  }
}
