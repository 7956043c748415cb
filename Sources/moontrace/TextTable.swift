/// Rows of cells in columns as wide as their widest cell, the last of which is as it comes.
struct TextTable {
  var rows: [[String]]
  /// Columns that stand on the right: numbers.
  var numeric: Set<Int> = []

  /// A line for each row, `indent` blanks from the left.
  func text(indent: Int = 2) -> String {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let blanks = String(repeating: " ", count: widths[column] - cell.count)
        return numeric.contains(column) ? blanks + cell : cell + blanks
      }
      let line = String(repeating: " ", count: indent) + cells.joined(separator: "  ")
      return line.withoutTrailingBlanks + "\n"
    }.joined()
  }
}

extension String {
  fileprivate var withoutTrailingBlanks: String {
    String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
  }
}
