import EventStream
import Glibc
import Support
import Testing

struct ExitWatchTests {
  /// A child that ends when the returned descriptor is closed.
  private func startChild(_ pipe: Pipe) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, pipe.reading, 0)
    var pid: Int32 = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("head"), strdup("-c1"), nil]
    defer { arguments.forEach { free($0) } }
    let status = posix_spawnp(&pid, "head", &actions, nil, &arguments, environ)
    try #require(status == 0)
    return pid
  }

  @Test func theEndOfAProcessIsSeenOnce() throws {
    let loop = try EventLoop()
    loop.deadline = EventLoop.now() + 20_000_000_000
    let pipe = try Pipe()
    let pid = try startChild(pipe)
    var ends = 0
    try loop.watchExit(pid: pid) {
      ends += 1
      loop.stop()
    }
    loop.after(nanoseconds: 1_000_000) { pipe.send() }
    #expect(try loop.run() == .stopped)
    loop.deadline = nil
    #expect(try loop.run() == .nothingToWaitFor)
    #expect(ends == 1)
    var status: Int32 = 0
    #expect(waitpid(pid, &status, 0) == pid)
    #expect(status == 0)
  }

  @Test func aCancelledWatchIsSilent() throws {
    let loop = try EventLoop()
    let pipe = try Pipe()
    let pid = try startChild(pipe)
    let watch = try loop.watchExit(pid: pid) { Issue.record("called after cancel") }
    watch.cancel()
    watch.cancel()
    pipe.send()
    #expect(waitpid(pid, nil, 0) == pid)
    #expect(try loop.run() == .nothingToWaitFor)
  }

  @Test(arguments: [Int32.max, 0, -5])
  func processesThatAreNotThereAreAnError(_ pid: Int32) throws {
    let loop = try EventLoop()
    let error = #expect(throws: MoontraceError.self) { try loop.watchExit(pid: pid) {} }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("\(pid)") == true)
  }
}
