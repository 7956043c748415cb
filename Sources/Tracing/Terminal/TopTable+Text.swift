import Support

/// A table as lines of a window.
extension TopTable {
  private static let gap = 1
  private static let narrowest = 8

  /// The header and `limit` rows from `first` on, in `width` columns.
  ///
  /// - Parameter isFocused: whether keys act on this table; then the heading of the column it is sorted by stands out.
  func lines(order: Order?, rows range: Range<Int>, width: Int, style: TextStyle, isFocused: Bool) -> [String] {
    let texts = rows.map { $0.map(\.text) }
    let widths = fitted(naturalWidths(texts), to: width)
    let right = columns.indices.map(isNumeric)
    let header = columns.indices.map { column in
      let text = DisplayWidth.fit(columns[column].uppercased(), widths[column], toRight: right[column])
      return isFocused && column == order?.column ? style.reversed(text) : style.heading(text)
    }
    let shown = sorted(by: order)[range.clamped(to: rows.indices)]
    let body = shown.map { row in
      row.indices.map { DisplayWidth.fit(row[$0].text, widths[$0], toRight: right[$0]) }
    }
    return ([header] + body).map { DisplayWidth.clip($0.joined(separator: " "), width) }
  }

  private func naturalWidths(_ texts: [[String]]) -> [Int] {
    columns.indices.map { column in
      texts.reduce(DisplayWidth.of(columns[column])) { max($0, DisplayWidth.of($1[column])) }
    }
  }

  /// Takes from the widest column until all fit, so that a long name does not push the numbers out of the window.
  private func fitted(_ widths: [Int], to room: Int) -> [Int] {
    var widths = widths
    var excess = widths.reduce(0, +) + Self.gap * max(0, widths.count - 1) - room
    while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > Self.narrowest
    {
      let next = widths.filter { $0 < widths[widest] }.max() ?? Self.narrowest
      let cut = min(excess, max(1, widths[widest] - max(next, Self.narrowest)))
      widths[widest] -= cut
      excess -= cut
    }
    return widths
  }
}
