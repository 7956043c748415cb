import Testing

@testable import Tracing

/// Text on a terminal: its width, keys that come from it, and what the status line says.
@Suite struct TerminalTextTests {
  @Test(arguments: [
    ("abc", 3), ("", 0), ("日本", 4), ("é", 1), ("e\u{301}", 1), ("🚀x", 3), ("│", 1), ("한국어", 6), ("\u{200b}", 0),
  ]) func widths(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width)
  }

  @Test func clippingByColumns() {
    #expect(DisplayWidth.clip("日本語", 5) == "日本")
    #expect(DisplayWidth.fit("日本語", 5) == "日本 ")
    #expect(DisplayWidth.fit("12", 5, toRight: true) == "   12")
    #expect(DisplayWidth.clip("a\tb", 20) == "a       b")
    #expect(DisplayWidth.clip("abc", 0) == "")
  }

  @Test func coloursStayAndEndAndNothingElseDrivesTheTerminal() {
    #expect(DisplayWidth.clip("\u{1b}[1;31mred\u{1b}[0m rest", 5) == "\u{1b}[1;31mred\u{1b}[0m r\u{1b}[0m")
    #expect(DisplayWidth.clip("\u{1b}[2Jx\u{7}\u{9b}", 20) == "?[2Jx??")
    #expect(DisplayWidth.fit("\u{1b}[1mx\u{1b}[0m", 3) == "\u{1b}[1mx\u{1b}[0m\u{1b}[0m  ")
  }

  @Test func keysAndTheirParts() {
    var reader = TopKeyReader()
    func keys(_ text: String) -> [TopKey] { reader.keys(Array(text.utf8)) }
    #expect(keys("qR ") == [.character("q"), .character("R"), .character(" ")])
    #expect(keys("\u{1b}[A\u{1b}OB\u{1b}[5~\t") == [.up, .down, .pageUp, .tab])
    #expect(keys("\u{1b}") == [])
    #expect(keys("[") == [])
    #expect(keys("C") == [.right])
    #expect(keys("\u{1b}[1;5Dx\u{1b}q") == [.character("x"), .character("q")])
    #expect(keys("é\u{3}\n") == [])
  }

  @Test func progress() {
    var progress = ProgressText()
    func text(_ run: RunProgress) -> String { progress.text(run) }
    func run(_ events: UInt64, _ lost: UInt64, _ seconds: UInt64, _ duration: Double? = nil) -> RunProgress {
      RunProgress(
        events: events, lost: lost, elapsed: seconds * 1_000_000_000, duration: duration, hasEvents: true)
    }
    #expect(text(run(1000, 0, 1)) == "1,000 events  1,000/s  0 lost  0:01")
    #expect(text(run(4000, 1_234_567, 3)) == "4,000 events  1,500/s  1,234,567 lost  0:03")
    #expect(text(run(4000, 0, 3, 9.5)) == "4,000 events  0/s  0 lost  0:03 of 0:10")
    #expect(clock(3_661) == "1:01:01" && clock(59) == "0:59" && grouped(100) == "100" && grouped(0) == "0")
    let counting = RunProgress(events: 0, lost: 0, elapsed: 61_000_000_000, hasEvents: false)
    #expect(text(counting) == "tracing  1:01")
  }
}
