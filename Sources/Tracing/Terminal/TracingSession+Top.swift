import LuaRuntime
import Support

/// What `--top` adds to a session, and the host functions through which the library's `emit` and aggregates reach the
/// live view.
extension TracingSession {
  func defineTop() {
    let session = self
    runtime.define("has_top_screen") { [unowned session] _ in [.boolean(session.top?.isScreen ?? false)] }
    runtime.define("on_top") { [unowned session] call throws(MoontraceError) in
      session.top?.printAggregates = try call.function(1)
      return []
    }
    // Whether what is printed now becomes a part of the picture.
    runtime.define("top_collects") { [unowned session] _ in
      [.boolean(session.top?.screen?.picture.isCollecting ?? false)]
    }
    // (columns, row)
    runtime.define("top_row") { [unowned session] call throws(MoontraceError) in
      session.addTextToPicture()
      let columns = texts(try call.table(1))
      session.top?.screen?.picture.add(row: cells(try call.table(2), count: columns.count), columns: columns)
      return []
    }
    // (columns, rows, the column that they are sorted by from the largest)
    runtime.define("top_table") { [unowned session] call throws(MoontraceError) in
      session.addTextToPicture()
      let columns = texts(try call.table(1))
      var table = TopTable(columns: columns, rows: [])
      for case .table(let row) in try call.table(2).list { table.rows.append(cells(row, count: columns.count)) }
      table.order = TopTable.Order(column: Int(try call.integer(3)) - 1, isDescending: true)
      session.top?.screen?.picture.add(table)
      return []
    }
  }

  /// Text printed so far stands before the table that comes.
  private func addTextToPicture() {
    top?.screen?.picture.add(text: output.takeText())
  }

  /// Calls a function of the script's because its time has come.
  func callTimer(_ function: LuaFunction, part: Int) {
    guard let top else { return call(function) }
    top.collect(part: part, output) { call(function) }
  }

  /// Refuses a run in which there is nothing to show.
  func checkTop() throws(MoontraceError) {
    guard top != nil, probes.compiler.schema.aggregates.isEmpty, timers.isEmpty else { return }
    throw MoontraceError(
      .usage, "--top: nothing to show: the script has no aggregate, and prints nothing with every()",
      remedy: "count in the probe, such as count(comm), or leave --top out")
  }

  func openTopScreen() throws(MoontraceError) {
    let screen = TopScreen(
      title: source.shortName, output: output, diagnostics: diagnostics, loop: loop,
      style: TextStyle(configuration.color, for: output.descriptor), onQuit: { [unowned self] in end() })
    try screen.open()
    top?.screen = screen
  }
}

extension SessionConfiguration {
  /// Whether `--top` means a live view: where people look at a table.
  var hasTopScreen: Bool { top && outputPath == nil && format == .table && isCapableTerminal(1) }
}

private func texts(_ table: LuaTable) -> [String] {
  table.list.map { $0.text ?? "" }
}

/// One cell for each column, whatever the script gave.
private func cells(_ row: LuaTable, count: Int) -> [TopTable.Cell] {
  (0..<count).map { index in
    guard row.list.indices.contains(index) else { return .text("-") }
    return switch row.list[index] {
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case let value: .text(value.text ?? "-")
    }
  }
}
