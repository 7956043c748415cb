import Glibc
import Support
import Testing

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

  /// The write end of a pipe tells: its reader sees the end when, and only when, it is closed.
  @Test func descriptorsAreClosedByTheirOwnerOnly() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    #expect(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
    for end in ends { #expect(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
    let source = OwnedDescriptor(ends[0])
    let kept = OwnedDescriptor(ends[1]).take()
    #expect(throws: SystemError("read pipe", errno: EAGAIN)) { try readAll(source.number, name: "pipe") }
    do { _ = OwnedDescriptor(kept) }
    #expect(try readAll(source.number, name: "pipe") == [])
  }

  @Test func errorsReadAsPlaceMessageAndRemedy() {
    let error = MoontraceError(.usage, "no field 'x'", remedy: "use y", location: "a.lua:3")
    #expect(error.description == "a.lua:3: no field 'x' (use y)")
    #expect(MoontraceError(.unsupported, "no kprobes").description == "no kprobes")
    #expect(MoontraceError.Code.notPermitted.rawValue == 3)
  }
}
