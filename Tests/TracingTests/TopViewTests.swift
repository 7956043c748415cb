import Support
import Testing

@testable import Tracing

/// The live view's picture and keys, without a terminal.
@Suite struct TopViewTests {
  static let size = TerminalSize(columns: 60, rows: 10)

  static func view(_ blocks: TopBlock...) -> TopView {
    var view = TopView(title: "x", style: TextStyle(isColored: false))
    view.show(blocks)
    return view
  }

  static func table(_ rows: [(String, Int64)], order: TopTable.Order? = nil) -> TopBlock {
    .table(TopTable(columns: ["name", "count"], rows: rows.map { [.text($0.0), .integer($0.1)] }, order: order))
  }

  static let three = table([("b", 30), ("a", 4), ("c", 100)])

  /// The first words of the lines between the bar and the keys, blank lines left out.
  private func names(_ view: inout TopView) -> [String] {
    view.lines(Self.size, progress: "0:01").dropFirst().dropLast()
      .compactMap { $0.split(separator: " ").first.map(String.init) }
  }

  private func press(_ view: inout TopView, _ keys: TopKey...) {
    for key in keys {
      let goesOn = view.press(key)
      #expect(goesOn)
    }
  }

  @Test func aWindowOfLines() {
    var view = Self.view(Self.three)
    let lines = view.lines(Self.size, progress: "0:01")
    #expect(lines.count == 10)
    #expect(lines[0] == "\u{1b}[7mmoontrace x  0:01" + String(repeating: " ", count: 43) + "\u{1b}[0m")
    #expect(lines[1...4] == ["NAME COUNT", "b       30", "a        4", "c      100"])
    #expect(lines[9].hasPrefix("q quit  space pause"))
  }

  @Test func columnsAreChosenByArrowsLettersAndNumbers() {
    var view = Self.view(Self.three)
    #expect(names(&view) == ["NAME", "b", "a", "c"])
    press(&view, .right)
    #expect(names(&view).suffix(3) == ["a", "b", "c"])
    press(&view, .right)
    #expect(names(&view).suffix(3) == ["c", "b", "a"])
    press(&view, .character("r"))
    #expect(names(&view).suffix(3) == ["a", "b", "c"])
    press(&view, .character("c"))
    #expect(names(&view).suffix(3) == ["c", "b", "a"])
    press(&view, .character("1"))
    #expect(names(&view).suffix(3) == ["a", "b", "c"])
    press(&view, .character("9"), .character("z"))
    #expect(names(&view).suffix(3) == ["a", "b", "c"])
  }

  @Test func theOrderStaysWithTheNextPicture() {
    var view = Self.view(Self.three)
    press(&view, .character("c"))
    view.show([Self.table([("d", 1), ("e", 2)])])
    #expect(names(&view).suffix(2) == ["e", "d"])
  }

  @Test func reversingTheOrderThatCame() {
    var view = Self.view(Self.table([("x", 9), ("y", 5)], order: .init(column: 1, isDescending: true)))
    press(&view, .character("r"))
    #expect(names(&view).suffix(2) == ["y", "x"])
    press(&view, .character("r"))
    #expect(names(&view).suffix(2) == ["x", "y"])
  }

  @Test func aPausedViewKeepsItsPicture() {
    var view = Self.view(Self.three)
    press(&view, .character(" "))
    view.show([Self.table([("new", 1)])])
    let bar = view.lines(Self.size, progress: "")[0]
    #expect(bar.contains("[paused]"))
    #expect(names(&view) == ["NAME", "b", "a", "c"])
    press(&view, .character(" "))
    #expect(names(&view) == ["NAME", "new"])
  }

  @Test func quitting() {
    var view = Self.view(Self.three)
    let goesOn = view.press(.character("q"))
    #expect(!goesOn)
  }

  @Test func scrollingStopsAtTheEnd() {
    var view = Self.view(Self.table((0..<20).map { ("n\($0)", 1) }))
    #expect(names(&view) == ["NAME"] + (0..<7).map { "n\($0)" })
    press(&view, .down, .down)
    #expect(names(&view)[1] == "n2")
    press(&view, .end)
    #expect(names(&view) == ["NAME"] + (13..<20).map { "n\($0)" })
    press(&view, .up)
    #expect(names(&view)[1] == "n12")
    press(&view, .home)
    #expect(names(&view)[1] == "n0")
  }

  @Test func tablesShareTheRoom() {
    #expect(TopView.shares(of: 10, among: [2, 100, 100]) == [2, 4, 4])
    #expect(TopView.shares(of: 10, among: [3, 4]) == [3, 4])
    #expect(TopView.shares(of: 0, among: [3]) == [0])
    var view = Self.view(
      .text(["12:00:00"]), Self.table((0..<20).map { ("n\($0)", 1) }), .text(["one", "two", "three"]))
    #expect(names(&view) == ["12:00:00", "NAME", "n0", "n1", "one", "two", "three"])
    press(&view, .down)
    #expect(names(&view)[2] == "n1")
    press(&view, .tab, .character("c"), .down)
    #expect(names(&view) == ["12:00:00", "NAME", "n0", "n1", "one", "two", "three"])
  }

  @Test func longNamesLeaveRoomForNumbers() {
    var view = Self.view(Self.table([(String(repeating: "long", count: 50), 12)]))
    let line = view.lines(Self.size, progress: "")[2]
    #expect(line.count == 60 && line.hasSuffix("    12"))
  }

  @Test(arguments: [(1, 1), (20, 2), (8, 3), (200, 60)]) func anyWindow(columns: Int, rows: Int) {
    var view = Self.view(Self.three, .text(["x"]), Self.three)
    view.note = "something was said"
    let size = TerminalSize(columns: columns, rows: rows)
    for line in view.lines(size, progress: "0:01") {
      #expect(DisplayWidth.of(line.replacing("\u{1b}[7m", with: "").replacing("\u{1b}[0m", with: "")) <= columns)
    }
  }

  @Test func numbersAndTextAndNothingSort() {
    typealias Cell = TopTable.Cell
    let cells: [[Cell]] = [[.number(2.5)], [.text("-")], [.integer(3)], [.integer(-1)]]
    let table = TopTable(columns: ["v"], rows: cells)
    #expect(table.isNumeric(0))
    let sorted = table.sorted(by: .init(column: 0, isDescending: true)).map { $0[0].text }
    #expect(sorted == ["3", "2.50", "-1", "-"])
    #expect(Cell.number(-0.126).text == "-0.13" && Cell.number(1e18).text == "1e+18" && Cell.number(.nan).text == "nan")
  }
}

/// What timers print, put together to a picture.
@Suite struct TopPictureTests {
  private func texts(_ picture: TopPicture) -> [[String]] {
    picture.blocks(logLines: 3).map { block in
      switch block {
      case .text(let lines): lines
      case .table(let table): [table.columns.joined(separator: " ")] + table.rows.map { $0[0].text }
      }
    }
  }

  @Test func rowsOfTheSameColumnsAreOneTable() {
    let picture = TopPicture()
    let printed = picture.collect(part: 1, text: { "" }) {
      picture.add(text: "12:00:00\n")
      picture.add(row: [.integer(1)], columns: ["a"])
      picture.add(row: [.integer(2)], columns: ["a"])
      picture.add(row: [.integer(3)], columns: ["b"])
    }
    #expect(printed && texts(picture) == [["12:00:00"], ["a", "1", "2"], ["b", "3"]])
  }

  @Test func timersTakeThePlaceOfAggregates() {
    let picture = TopPicture()
    func show(_ part: Int, _ text: String) -> Bool {
      picture.collect(part: part, text: { "" }) { picture.add(text: text) }
    }
    #expect(show(0, "aggregates") && texts(picture) == [["aggregates"]])
    #expect(!show(1, "") && texts(picture) == [["aggregates"]])
    #expect(show(2, "second") && show(1, "first") && texts(picture) == [["first"], ["second"]])
    #expect(show(2, "again") && texts(picture) == [["first"], ["again"]])
  }

  @Test func whatEventsPrintScrolls() {
    let picture = TopPicture()
    picture.addToLog("one\ntwo\nthr")
    picture.addToLog("ee\nfour\n")
    #expect(texts(picture) == [["two", "three", "four"]])
  }
}
