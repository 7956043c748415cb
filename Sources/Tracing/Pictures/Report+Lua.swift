import LuaRuntime
import Pictures

extension Report.Section {
  /// What `lua-lib/api/pictures.lua` hands over: `{title, unit, ranges = {{label, count}…}}`, a histogram, or
  /// `{title, headings, rows = {{key, size, cells = {text, value, …}}…}}`.
  init(_ table: LuaTable) {
    let title = table["title"].text ?? ""
    if case .table(let ranges) = table["ranges"] {
      let unit = table["unit"].text ?? "value"
      self = .histogram(Report.Histogram(title: title, unit: unit, ranges: ranges.list.compactMap(range)))
    } else {
      let rows = table["rows"].list.compactMap(Report.BarTable.Row.init)
      self = .bars(Report.BarTable(title: title, headings: table["headings"].list.compactMap(\.text), rows: rows))
    }
  }
}

extension Report.BarTable.Row {
  fileprivate init?(_ value: LuaValue) {
    guard case .table(let row) = value else { return nil }
    let cells = row["cells"].list
    self.init(
      key: row["key"].list.map { $0.text ?? "" },
      cells: stride(from: 0, to: cells.count - 1, by: 2).map {
        Report.Cell(cells[$0].text ?? "", value: cells[$0 + 1].double)
      },
      size: row["size"].double ?? 0)
  }
}

private func range(_ value: LuaValue) -> (label: String, count: Int64)? {
  let pair = value.list
  guard pair.count == 2, let label = pair[0].text, case .integer(let count) = pair[1] else { return nil }
  return (label, count)
}

extension LuaValue {
  fileprivate var list: [LuaValue] {
    if case .table(let table) = self { table.list } else { [] }
  }

  fileprivate var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
