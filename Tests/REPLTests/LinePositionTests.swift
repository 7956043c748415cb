import Testing

@testable import REPL

@Suite struct LinePositionTests {
  private func row(_ text: String, columns: Int = 10, width: Int = 1) -> Int {
    var position = LinePosition(columns: columns, start: 3)
    for scalar in text.unicodeScalars { position.add(scalar.value, width: width) }
    return position.row
  }

  @Test func rowsBehindThePrompt() {
    #expect(row("") == 0)
    #expect(row("123456") == 0)
    #expect(row("1234567") == 1)
    #expect(row("a\nb\n") == 2)
    #expect(row("a\n1234567890\n") == 3, "a full row takes the cursor to the next")
  }

  @Test func tabsAndControlCharactersTakeColumns() {
    #expect(row("\t1") == 0)
    #expect(row("\t12") == 1)
    #expect(row("\u{1}\u{1}\u{1}1") == 1)
  }

  @Test func wideCharactersAreNotCut() {
    #expect(row("漢漢漢", width: 2) == 0)
    #expect(row("漢漢漢漢", width: 2) == 1)
  }

  @Test func pastedTextIsLines() {
    #expect(BracketedPaste.text("a\r\tb\r\n\rc\n\n".utf8) == "a\n\tb\n\nc")
    #expect(BracketedPaste.text("x\0y".utf8) == "xy")
  }
}
