import FileTestSupport
import Glibc
import Support
import Testing

/// Reading and writing whole files, in a directory that is gone afterwards.
struct FilesTests {
  private let temporary: TemporaryDirectory
  private var directory: String { temporary.name }

  init() throws {
    temporary = try TemporaryDirectory()
  }

  @Test(arguments: [0, 1, 4096, 1 << 16, (1 << 16) + 1, 3 << 20])
  func whatIsWrittenIsReadBack(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try writeFile("\(directory)/file", bytes)
    #expect(try readFile("\(directory)/file") == bytes)
  }

  @Test func writingReplacesTheFileAndLeavesNothingBeside() throws {
    try writeFile("\(directory)/file", [1, 2, 3, 4])
    try writeFile("\(directory)/file", [5], mode: 0o600)
    #expect(try readFile("\(directory)/file") == [5])
    var information = stat()
    #expect(stat("\(directory)/file", &information) == 0)
    #expect(information.st_mode & 0o777 == 0o600)
    unlink("\(directory)/file")
    #expect(rmdir(directory) == 0, "a temporary file was left")
    #expect(mkdir(directory, 0o700) == 0)
  }

  @Test func pathsThatMayBeMeant() throws {
    for name in ["apple.lua", "apple.txt", ".hidden"] { try writeFile("\(directory)/\(name)", []) }
    mkdir("\(directory)/apples", 0o755)
    defer {
      for name in ["apple.lua", "apple.txt", ".hidden"] { unlink("\(directory)/\(name)") }
      rmdir("\(directory)/apples")
    }
    let found = pathsStarting(with: "\(directory)/app") { $0.hasSuffix(".lua") }
    #expect(found == ["\(directory)/apple.lua", "\(directory)/apples/"])
    #expect(pathsStarting(with: "\(directory)/").count == 3)
    #expect(pathsStarting(with: "\(directory)/.") == ["\(directory)/.hidden"])
    #expect(pathsStarting(with: "/no-such/x") == [])
  }

  @Test func filesThatSayNothingOfTheirSizeAreReadWhole() throws {
    let text = String(decoding: try readFile("/proc/self/status"), as: UTF8.self)
    #expect(text.hasPrefix("Name:"))
    #expect(text.contains("voluntary_ctxt_switches"))
  }

  /// /sys files give a page at a time: reading all of them takes as many reads as pages, and no more memory.
  @Test func longSystemFilesAreReadWhole() throws {
    var information = stat()
    guard stat("/sys/kernel/btf/vmlinux", &information) == 0 else { return }
    #expect(try readFile("/sys/kernel/btf/vmlinux").count == information.st_size)
  }

  @Test func pipesAreReadToTheirEnd() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    for end in ends { #expect(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
    let source = OwnedDescriptor(ends[0])
    let sink = OwnedDescriptor(ends[1])
    let bytes = [UInt8](repeating: 7, count: 10_000)
    try writeAll(sink.number, bytes, name: "pipe")
    close(sink.take())
    #expect(try readAll(source.number, name: "pipe") == bytes)
  }

  @Test func failuresNameTheCallAndTheFile() {
    #expect(throws: SystemError("open /nowhere/file", errno: ENOENT)) { try readFile("/nowhere/file") }
    #expect(throws: SystemError("read \(directory)", errno: EISDIR)) { try readFile(directory) }
    #expect(throws: SystemError.self) { try writeFile("/nowhere/file", [1]) }
    #expect(throws: SystemError("write nothing", errno: EBADF)) { try writeAll(-1, [1], name: "nothing") }
  }
}
