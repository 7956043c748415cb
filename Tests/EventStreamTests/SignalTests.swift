import EventStream
import Glibc
import Support
import Testing

struct SignalTests {
  private func isBlocked(_ signal: Int32) -> Bool {
    var mask = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &mask)
    return sigismember(&mask, signal) == 1
  }

  @Test func signalsArriveInTheLoop() throws {
    let loop = try EventLoop()
    loop.deadline = EventLoop.now() + 20_000_000_000
    var received: [Int32] = []
    // The second one is sent when the first has come: of two that wait the kernel hands over the smaller one first.
    let source = try SignalSource(loop: loop) { signal in
      received.append(signal)
      if received.count == 2 { loop.stop() } else { pthread_kill(pthread_self(), SIGINT) }
    }
    defer { source.close() }
    loop.after(nanoseconds: 0) { pthread_kill(pthread_self(), SIGTERM) }
    #expect(try loop.run() == .stopped)
    #expect(received == [SIGTERM, SIGINT])
  }

  @Test func closingRestoresTheMaskAndTakesWhatWaits() throws {
    // Threads of the test runner block signals: this one must not, to see what becomes of them.
    var signals = sigset_t()
    var previous = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &signals, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    let loop = try EventLoop()
    let source = try SignalSource(loop: loop) { _ in }
    #expect(isBlocked(SIGTERM) && isBlocked(SIGINT))
    // Left pending, this would end the process as soon as the mask is back.
    pthread_kill(pthread_self(), SIGTERM)
    source.close()
    source.close()
    #expect(isBlocked(SIGTERM) == false)
    #expect(isBlocked(SIGINT) == false)
  }

  @Test func discardedSignalsAreNotHandedOver() throws {
    let loop = try EventLoop()
    loop.deadline = EventLoop.now() + 20_000_000_000
    var received: [Int32] = []
    let source = try SignalSource([SIGUSR1, SIGUSR2], loop: loop) { signal in
      received.append(signal)
      loop.stop()
    }
    defer { source.close() }
    pthread_kill(pthread_self(), SIGUSR1)
    source.discard()
    pthread_kill(pthread_self(), SIGUSR2)
    #expect(try loop.run() == .stopped)
    #expect(received == [SIGUSR2])
  }

  /// Its descriptor's number may be another file's by then, of which nothing may be taken.
  @Test func afterItsEndThereIsNothingToDiscard() throws {
    let source = try SignalSource([SIGUSR1], loop: EventLoop()) { _ in }
    let pipe = try Pipe()
    pipe.send(1000)
    source.close()
    let file = OwnedDescriptor(fcntl(pipe.reading, F_DUPFD_CLOEXEC, source.descriptor))
    source.discard()
    #expect(pipe.waiting == 1000)
    withExtendedLifetime(file) {}
  }

  @Test func impossibleSignalsAreRefused() throws {
    let loop = try EventLoop()
    #expect(throws: MoontraceError.self) { _ = try SignalSource([9999], loop: loop) { _ in } }
  }
}
