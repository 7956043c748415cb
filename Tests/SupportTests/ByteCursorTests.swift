import Support
import Testing

struct ByteCursorTests {
  /// Where the bytes ended too early.
  private func truncation(_ body: () throws(ByteCursor.Truncated) -> Void) -> Int? {
    do {
      try body()
      return nil
    } catch {
      return error.offset
    }
  }

  @Test func integersAreLittleEndianAndMoveTheCursor() throws {
    var cursor = ByteCursor([0x34, 0x12, 0xff, 0xff, 0xff, 0xff, 1])
    #expect(try cursor.read(UInt16.self) == 0x1234)
    #expect(try cursor.read(Int32.self) == -1)
    #expect(cursor.offset == 6)
    #expect(cursor.remaining == 1)
    #expect(try cursor.read(UInt8.self) == 1)
  }

  @Test func readingPastTheEndThrowsAndStays() {
    var cursor = ByteCursor([1, 2, 3])
    #expect(truncation { () throws(ByteCursor.Truncated) in _ = try cursor.read(UInt32.self) } == 0)
    #expect(truncation { () throws(ByteCursor.Truncated) in _ = try cursor.read(count: 4) } == 0)
    #expect(truncation { () throws(ByteCursor.Truncated) in _ = try cursor.read(count: -1) } == 0)
    #expect(cursor.offset == 0)
  }

  @Test(arguments: [-1, 4, .max, .min])
  func offsetsOutsideTheBytesAreRefused(offset: Int) {
    var cursor = ByteCursor([1, 2, 3], at: offset)
    #expect(truncation { () throws(ByteCursor.Truncated) in _ = try cursor.read(UInt8.self) } == offset)
    #expect(truncation { () throws(ByteCursor.Truncated) in _ = try cursor.read(count: 1) } == offset)
    #expect((0...3).contains(cursor.remaining))
    #expect(cursor.text(at: offset) == nil)
  }

  @Test func slicesCountFromTheirOwnStart() throws {
    var cursor = ByteCursor([9, 9, 1, 0x61, 0, 9][2..<5])
    #expect(try cursor.read(UInt8.self) == 1)
    #expect(cursor.text(at: 1) == "a")
    #expect(try cursor.read(count: 2) == [0x61, 0])
    #expect(throws: ByteCursor.Truncated.self) { try cursor.read(UInt8.self) }
  }

  @Test func textWithoutEndIsNoText() {
    let cursor = ByteCursor([0x61, 0x62, 0, 0x63])
    #expect(cursor.text(at: 0) == "ab")
    #expect(cursor.text(at: 2) == "")
    #expect(cursor.text(at: 3) == nil)
  }
}
