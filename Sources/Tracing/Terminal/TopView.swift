import Support

/// What a live view shows and how its keys change that: the picture as lines, without a terminal.
struct TopView {
  let title: String
  let style: TextStyle
  /// The newest picture; `shown` while the view is not paused.
  private(set) var shown: [TopBlock] = []
  private var newest: [TopBlock] = []
  private(set) var isPaused = false
  /// The block that keys act on, among those that have more than a line.
  private var focus = 0
  private var orders: [String: TopTable.Order] = [:]
  private var offset = 0
  /// What the script or the host said last, for the line above the keys.
  var note: String?

  init(title: String, style: TextStyle) {
    self.title = title
    self.style = style
  }

  mutating func show(_ blocks: [TopBlock]) {
    newest = blocks
    if !isPaused { shown = blocks }
  }

  // MARK: Keys

  /// Does what a key asks for. False for the one that ends the view.
  mutating func press(_ key: TopKey) -> Bool {
    switch key {
    case .character("q"): return false
    case .character(" "): pause()
    case .character("r"): reverse()
    case .left, .character("<"): moveOrder(by: -1)
    case .right, .character(">"): moveOrder(by: 1)
    case .up: offset = max(0, offset - 1)
    case .down: offset += 1
    case .pageUp: offset = max(0, offset - 10)
    case .pageDown: offset += 10
    case .home: offset = 0
    case .end: offset = focused.map { shown[$0].height } ?? 0
    case .tab:
      focus += 1
      offset = 0
    case .character(let character): chooseColumn(character)
    }
    return true
  }

  private mutating func pause() {
    isPaused.toggle()
    if !isPaused { shown = newest }
  }

  private var focusable: [Int] { shown.indices.filter { shown[$0].height > 1 } }

  private var focused: Int? {
    focusable.isEmpty ? nil : focusable[focus % focusable.count]
  }

  private var focusedTable: TopTable? {
    if let focused, case .table(let table) = shown[focused] { table } else { nil }
  }

  private func order(of table: TopTable) -> TopTable.Order? {
    orders[TopBlock.table(table).identity] ?? table.order
  }

  private mutating func sort(_ table: TopTable, _ order: TopTable.Order) {
    orders[TopBlock.table(table).identity] = order
    offset = 0
  }

  private mutating func reverse() {
    guard let table = focusedTable else { return }
    var order = order(of: table) ?? table.firstOrder(by: 0)
    order.isDescending.toggle()
    sort(table, order)
  }

  private mutating func moveOrder(by step: Int) {
    guard let table = focusedTable else { return }
    let count = table.columns.count
    let from = order(of: table)?.column ?? (step > 0 ? -1 : count)
    sort(table, table.firstOrder(by: (from + step + count) % count))
  }

  /// A digit is a column's number, a letter the first of its name; the same letter again goes on to the next such one.
  private mutating func chooseColumn(_ character: Character) {
    guard let table = focusedTable else { return }
    if let number = character.wholeNumberValue {
      if table.columns.indices.contains(number - 1) { sort(table, table.firstOrder(by: number - 1)) }
      return
    }
    let letter = character.lowercased()
    let matches = table.columns.indices.filter { table.columns[$0].lowercased().hasPrefix(letter) }
    let current = order(of: table)?.column ?? -1
    guard let column = matches.first(where: { $0 > current }) ?? matches.first else { return }
    sort(table, table.firstOrder(by: column))
  }

  // MARK: Lines

  /// The whole window: a bar, the picture, what was said last, and the keys.
  mutating func lines(_ size: TerminalSize, progress: String) -> [String] {
    let bar = "moontrace \(title)  \(progress)" + (isPaused ? "  [paused]" : "")
    let keys =
      "q quit  space pause  left/right sort  r reverse  up/down scroll" + (focusable.count > 1 ? "  tab next" : "")
    let noteLines = note.map { [DisplayWidth.clip($0, size.columns)] } ?? []
    let room = max(0, size.rows - 2 - noteLines.count)
    let body = shown.isEmpty ? ["", style.quiet("waiting for the first values")] : bodyLines(room, size.columns)
    let filled = Array((body + Array(repeating: "", count: max(0, room - body.count))).prefix(room))
    return [style.reversed(DisplayWidth.fit(bar, size.columns))] + filled + noteLines
      + [style.quiet(DisplayWidth.clip(keys, size.columns))]
  }

  private mutating func bodyLines(_ room: Int, _ width: Int) -> [String] {
    let focused = self.focused
    let gaps = shown.indices.map { $0 > 0 && shown[$0].height > 1 && shown[$0 - 1].height > 1 ? 1 : 0 }
    let shares = Self.shares(of: room - gaps.reduce(0, +), among: shown.map(\.height))
    var lines: [String] = []
    for index in shown.indices {
      lines += Array(repeating: "", count: gaps[index])
      lines += blockLines(shown[index], share: shares[index], width: width, isFocused: index == focused)
    }
    return lines
  }

  private mutating func blockLines(_ block: TopBlock, share: Int, width: Int, isFocused: Bool) -> [String] {
    if isFocused { offset = min(offset, max(0, block.height - share)) }
    let first = isFocused ? offset : 0
    switch block {
    case .text(let lines):
      return lines.dropFirst(first).prefix(share).map { DisplayWidth.clip($0, width) }
    case .table(let table):
      guard share > 0 else { return [] }
      return table.lines(
        order: order(of: table), rows: first..<(first + share - 1), width: width, style: style, isFocused: isFocused)
    }
  }

  /// Lines for each of several blocks: all they want, or an even part of the room when they want more than there is.
  static func shares(of room: Int, among wanted: [Int]) -> [Int] {
    var shares = wanted.map { _ in 0 }
    var left = max(0, room)
    for (place, index) in wanted.indices.sorted(by: { wanted[$0] < wanted[$1] }).enumerated() {
      shares[index] = min(wanted[index], left / (wanted.count - place))
      left -= shares[index]
    }
    return shares
  }
}
