import Testing

@testable import Tracing

/// What a report is made of, without a kernel.
struct RunRecorderTests {
  @Test func stepsFold() {
    var counts = StepCounts()
    counts.add(1, at: 0, seconds: 1)
    counts.add(2, at: 1, seconds: 1)
    counts.add(4, at: 4, seconds: 1)
    #expect(counts.counts == [1, 2, 0, 0, 4])
    #expect(counts.folded(to: 2) == [3, 0, 4] && counts.folded(to: 4) == [3, 4] && counts.folded(to: 8) == [7])
    counts.add(8, at: 3, seconds: 2)
    #expect(counts.counts == [3, 0, 4, 8])
    #expect(StepCounts().folded(to: 4) == [])
  }

  @Test(arguments: [
    ("1,b\n", [["1", "b"]]), ("\"a,b\",\"say \"\"no\"\"\"\n", [["a,b", "say \"no\""]]),
    ("\"two\nlines\",\n,1\n", [["two\nlines", ""], ["", "1"]]), ("\"\",\"\"\"\"\n", [["", "\""]]), ("", []),
    ("\"never closed", [["never closed"]]), ("\n", [[""]]),
  ])
  func rowsAreRead(_ text: String, _ expected: [[String]]) {
    let rows = Array(text.utf8).withUnsafeBytes { bytes in
      var reader = CSVReader(bytes: bytes)
      return reader.rows()
    }
    #expect(rows == expected)
  }
}
