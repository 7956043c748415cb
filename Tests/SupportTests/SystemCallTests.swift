import Glibc
import Support
import Testing

/// With descriptors that no child inherits from the beginning, as pipe(2) can't.
@_silgen_name("pipe2") private func makePipe(_ ends: UnsafeMutablePointer<Int32>, _ flags: Int32) -> Int32

struct SystemCallTests {
  @Test func resultsPassThrough() throws {
    #expect(try check("nothing") { Int32(0) } == 0)
    #expect(try check("nothing") { 42 } == 42)
  }

  @Test func failuresCarryTheirNumberAndText() {
    let error = #expect(throws: SystemError.self) { try check("close 9999") { close(9999) } }
    #expect(error == SystemError("close 9999", errno: EBADF))
    #expect(error?.description == "close 9999: Bad file descriptor")
  }

  @Test func interruptedCallsAreRepeated() throws {
    var attempts = 0
    let result = try check("read") { () -> Int32 in
      attempts += 1
      errno = EINTR
      return attempts < 4 ? -1 : 5
    }
    #expect(result == 5)
    #expect(attempts == 4)
  }

  /// The write end of a pipe tells: its reader sees the end when, and only when, it is closed. A child that another test
  /// has just started may hold the end too until it has become its program, so the end is waited for.
  @Test func descriptorsAreClosedByTheirOwnerOnly() throws {
    var ends: [Int32] = [0, 0]
    #expect(makePipe(&ends, O_CLOEXEC) == 0)
    let source = OwnedDescriptor(ends[0])
    let kept = OwnedDescriptor(ends[1]).take()
    var end = pollfd(fd: source.number, events: Int16(POLLIN), revents: 0)
    #expect(poll(&end, 1, 0) == 0)
    do { _ = OwnedDescriptor(kept) }
    try #require(poll(&end, 1, 60_000) == 1)
    #expect(try readAll(source.number, name: "pipe") == [])
  }

  @Test func errorsReadAsPlaceMessageAndRemedy() {
    let error = MoontraceError(.usage, "no field 'x'", remedy: "use y", location: "a.lua:3")
    #expect(error.description == "a.lua:3: no field 'x' (use y)")
    #expect(MoontraceError(.unsupported, "no kprobes").description == "no kprobes")
    #expect(MoontraceError.Code.notPermitted.rawValue == 3)
  }
}
