import Packages
import Testing

struct TarTests {
  private let files = [
    TarEntry(path: "package.json", bytes: Array("{}".utf8)),
    TarEntry(path: "a/empty", bytes: []),
    TarEntry(path: "a/block", bytes: [UInt8](repeating: 7, count: 512)),
    TarEntry(path: "long/" + String(repeating: "é", count: 200), bytes: [UInt8](repeating: 9, count: 1000)),
  ]

  private func read(_ bytes: [UInt8]) throws -> [TarEntry] { try [TarEntry](tar: bytes, name: "x.tar") }

  @Test func whatIsWrittenIsReadAgain() throws {
    #expect(try read(files.tar()) == files)
    #expect(try files.tar() == files.tar())
    #expect(try read([TarEntry]().tar()) == [])
    #expect(try read([TarEntry(path: "./a//b", bytes: [1])].tar()).map(\.path) == ["a/b"])
  }

  @Test func everyTruncationIsRefused() throws {
    let whole = try files.tar()
    // The second block of zeros may be missing.
    for length in stride(from: 0, through: whole.count - 1024, by: 37) {
      let message = refusal { _ = try read(Array(whole[..<length])) }
      #expect(message?.hasPrefix("x.tar: tar: ") == true, "\(length): \(message ?? "accepted")")
    }
  }

  @Test(arguments: ["/etc/passwd", "../x", "a/../../x", "a/..", "", ".", "/", "a\0b", "/\u{301}", "../\u{301}x"])
  func pathsThatLeadOutAreRefused(path: String) throws {
    #expect(refusal { _ = try [TarEntry(path: path, bytes: [])].tar() } != nil)
    var archive = try [TarEntry(path: String(repeating: "p", count: 90), bytes: [1])].tar()
    for index in 0..<100 { archive[index] = 0 }
    for (index, byte) in path.utf8.enumerated() { archive[index] = byte }
    sign(&archive)
    // A NUL ends the field, so that "a" is left of that path.
    if path.contains("\0") { return }
    #expect(refusal { _ = try read(archive) }?.contains("leads out of the archive") == true)
  }

  @Test(arguments: [
    ("1", "a hard link"), ("2", "a symbolic link"), ("3", "a device"), ("6", "a named pipe"), ("?", "type 0x3f"),
  ])
  func whatIsNoFileIsRefused(type: String, name: String) throws {
    var archive = try [TarEntry(path: "x", bytes: [])].tar()
    archive[156] = Array(type.utf8)[0]
    sign(&archive)
    #expect(refusal { _ = try read(archive) }?.contains(name) == true)
  }

  @Test func directoriesAndGlobalHeadersArePassedOver() throws {
    for type in ["5", "g"] {
      var archive = try [TarEntry(path: "x", bytes: []), TarEntry(path: "y", bytes: [1])].tar()
      archive[156] = Array(type.utf8)[0]
      sign(&archive)
      #expect(try read(archive).map(\.path) == ["y"])
    }
  }

  @Test func headersThatLieAreRefused() throws {
    let whole = try [TarEntry(path: "x", bytes: [1, 2, 3])].tar()
    var archive = whole
    archive[0] = 0x79
    #expect(refusal { _ = try read(archive) }?.contains("wrong checksum") == true)
    for (size, message) in [("77777777777", "8589934591 bytes by its header"), ("0000000009x", "no octal number")] {
      archive = whole
      for (index, byte) in size.utf8.enumerated() { archive[124 + index] = byte }
      sign(&archive)
      #expect(refusal { _ = try read(archive) }?.contains(message) == true)
    }
    archive = whole
    archive[124] = 0x80
    sign(&archive)
    #expect(refusal { _ = try read(archive) }?.contains("above 8 GiB") == true)
    #expect(refusal { _ = try read(Array("not a tar archive at all".utf8)) } != nil)
    #expect(refusal { _ = try read([UInt8](repeating: 0x41, count: 1024)) }?.contains("no header") == true)
  }

  @Test func twoFilesOfOnePathAreRefused() throws {
    let twice = [TarEntry(path: "x", bytes: []), TarEntry(path: "./x", bytes: [])]
    #expect(refusal { _ = try twice.tar() }?.contains("a second file of the path 'x'") == true)
    let single = try [TarEntry(path: "x", bytes: [])].tar()
    #expect(refusal { _ = try read(Array(single[..<512]) + single) }?.contains("a second file") == true)
  }

  @Test(arguments: [
    "4 x\n", "9 path=x", "99 path=x\n", "x path=y\n", "9\n", "10 size=-1\n", "22 GNU.sparse.name=abc\n",
  ])
  func extendedHeadersThatLieAreRefused(records: String) throws {
    var archive = try [TarEntry(path: "h", bytes: Array(records.utf8)), TarEntry(path: "x", bytes: [])].tar()
    archive[156] = UInt8(ascii: "x")
    sign(&archive)
    #expect(refusal { _ = try read(archive) } != nil)
  }

  @Test func theSizeOfAnExtendedHeaderCounts() throws {
    let record = TarEntry(path: "h", bytes: Array("9 size=3\n".utf8))
    var archive = try [record, TarEntry(path: "x", bytes: [1, 2, 3])].tar()
    archive[156] = UInt8(ascii: "x")
    sign(&archive)
    #expect(try read(archive) == [TarEntry(path: "x", bytes: [1, 2, 3])])
  }

  /// Makes the first header's checksum right.
  private func sign(_ archive: inout [UInt8]) {
    for index in 148..<156 { archive[index] = 0x20 }
    let digits = String(archive[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
    for (index, byte) in digits.utf8.enumerated() { archive[148 + index] = byte }
    archive[148 + digits.utf8.count] = 0
  }
}
