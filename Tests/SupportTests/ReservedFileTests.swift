import FileTestSupport
import Glibc
import Support
import Testing

struct ReservedFileTests {
  private let temporary: TemporaryDirectory
  private var directory: String { temporary.name }

  init() throws {
    temporary = try TemporaryDirectory()
  }

  @Test func leavesNothingUntilItIsWritten() throws {
    let path = "\(directory)/out"
    let file = try ReservedFile(path)
    #expect(access(path, F_OK) != 0 && rmdir(directory) == 0 && mkdir(directory, 0o755) == 0)
    try file.write([1, 2])
    #expect(try readFile(path) == [1, 2])
    try ReservedFile(path).write([3])
    #expect(try readFile(path) == [3])
  }

  @Test func followsLinks() throws {
    try writeFile("\(directory)/file", [1])
    #expect(symlink("file", "\(directory)/link") == 0)
    try ReservedFile("\(directory)/link").write([2])
    #expect(try readFile("\(directory)/file") == [2])
  }

  @Test func writesIntoWhatIsNoFile() throws {
    let path = "\(directory)/pipe"
    try #require(mkfifo(path, 0o600) == 0)
    let reader = OwnedDescriptor(try check("open") { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) })
    try ReservedFile(path).write(Array("text".utf8))
    #expect(try readAll(reader.number, name: path) == Array("text".utf8))
  }

  @Test(arguments: ["", "/", "/tmp", "/tmp/", "/nowhere/file", "/etc/passwd/file"])
  func refusesAtOnce(_ path: String) throws {
    let error = try #require(throws: MoontraceError.self) { _ = try ReservedFile(path) }
    #expect(error.code == .usage && error.message.hasPrefix("can't write to '\(path)': "))
  }
}
