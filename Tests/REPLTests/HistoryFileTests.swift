import FileTestSupport
import Glibc
import Support
import Testing

@testable import REPL

@Suite struct HistoryFileTests {
  private let directory: TemporaryDirectory
  /// In a directory that is not there yet.
  private var path: String { directory.path("state/moontrace/history") }

  init() throws {
    directory = try TemporaryDirectory()
  }

  @Test func linesAreKept() throws {
    let history = HistoryFile(path: path)
    #expect(history.load() == [])
    history.append("x = 1")
    history.append("print('ä')")
    #expect(HistoryFile(path: path).load() == ["x = 1", "print('ä')"])
    history.append("for i = 1, 2 do\n\tprint(i)\nend")
    history.append("y")
    #expect(history.load().suffix(2) == ["for i = 1, 2 do\n\tprint(i)\nend", "y"])
    var about = stat()
    #expect(stat(path, &about) == 0 && about.st_mode & 0o777 == 0o600)
  }

  @Test func longHistoriesAreCut() throws {
    let history = HistoryFile(path: path)
    history.append("first")
    try writeFile(path, Array((1...5000).map { "line \($0)\n" }.joined().utf8))
    #expect(history.load().count == HistoryFile.limit)
    #expect(history.load().last == "line 5000")
    #expect(try readFile(path).count { $0 == UInt8(ascii: "\n") } == HistoryFile.limit)
  }

  @Test func noPlaceIsNoError() {
    HistoryFile(path: nil).append("x")
    HistoryFile(path: "/proc/nowhere/history").append("x")
    #expect(HistoryFile(path: "/proc/nowhere/history").load() == [])
  }
}
