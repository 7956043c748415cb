extension Report.EventTable {
  func html() -> String {
    let numeric = columns.indices.map { column in
      rows.contains { $0[column] != "" } && rows.allSatisfy { $0[column] == "" || Double($0[column]) != nil }
    }
    let head = columns.enumerated().map { "<th\(numberClass(numeric[$0.offset]))>\(escaped($0.element))</th>" }
    let body = rows.map { row in
      let cells = row.enumerated().map { "<td\(numberClass(numeric[$0.offset]))>\(cellText($0.element))</td>" }
      return "<tr>\(cells.joined())</tr>"
    }
    return note + table(head: head.joined(), body: body)
  }

  private var note: String {
    let shown = Int64(rows.count)
    if total == shown { return "<p class=\"note\">\(grouped(total)) \(total == 1 ? "event" : "events")</p>\n" }
    let rest = grouped(total - shown)
    return
      "<p class=\"note\">the first \(grouped(shown)) of \(grouped(total)) events; \(rest) more are counted only</p>\n"
  }
}

extension Report.BarTable {
  /// Rows that the page shows; the rest is counted.
  private static let mostRows = 1000

  func html() -> String {
    let largest = rows.map(\.size).max() ?? 0
    let keys = rows.first?.key.count ?? 0
    let head = (0..<keys).map { _ in "<th>key</th>" } + headings.map { "<th class=\"n\">\(escaped($0))</th>" }
    let body = rows.prefix(Self.mostRows).map { row in
      let parts = row.key.map { "<td>\(cellText($0))</td>" } + row.cells.map(Self.cell)
      return "<tr>\(parts.joined())\(bar(row.size, of: largest))</tr>"
    }
    return note + table(head: head.joined() + "<th class=\"b\" aria-label=\"bar\"></th>", body: body)
  }

  private var note: String {
    guard rows.count > Self.mostRows else { return "" }
    return "<p class=\"note\">the largest \(grouped(Int64(Self.mostRows))) of \(grouped(Int64(rows.count))) rows</p>\n"
  }

  private static func cell(_ cell: Report.Cell) -> String {
    let value = cell.value.map { " data-v=\"\(decimal($0, digits: 6))\"" } ?? ""
    return "<td class=\"n\"\(value)>\(escaped(cell.text))</td>"
  }
}

extension Report.Histogram {
  func html() -> String {
    let largest = Double(ranges.map(\.count).max() ?? 0)
    let body = ranges.map { range in
      "<tr><td class=\"n\">\(escaped(range.label))</td><td class=\"n\">\(grouped(range.count))</td>"
        + bar(Double(range.count), of: largest) + "</tr>"
    }
    let head = "<th class=\"n\">\(escaped(unit))</th><th class=\"n\">count</th><th class=\"b\" aria-label=\"bar\"></th>"
    return table(head: head, body: body, isSorted: true)
  }
}

/// A table in a box of its own, so that the page never scrolls sideways. One that `isSorted` keeps its order.
private func table(head: String, body: [String], isSorted: Bool = false) -> String {
  """
  <div class="scroll" tabindex="0" role="region" aria-label="table"><table\(isSorted ? "" : " class=\"sortable\"")>
  <thead><tr>\(head)</tr></thead>
  <tbody>
  \(body.joined(separator: "\n"))
  </tbody>
  </table></div>
  """
}

/// Of several lines, such as a stack's, only the first shows until it is opened.
private func cellText(_ text: String) -> String {
  guard let end = text.firstIndex(of: "\n") else { return escaped(text) }
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
  return "<details><summary>\(escaped(text[..<end])) … \(lines) lines</summary>"
    + "\(escaped(text[text.index(after: end)...]))</details>"
}

private func numberClass(_ isNumber: Bool) -> String { isNumber ? " class=\"n\"" : "" }

private func bar(_ size: Double, of largest: Double) -> String {
  let share = largest > 0 ? max(0, size / largest) : 0
  return "<td class=\"b\"><i style=\"width:\(percent(share))\"></i></td>"
}
