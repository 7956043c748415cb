import EventStream
import Glibc
import Support
import Testing

struct EventLoopTests {
  /// A loop that gives up after 20 seconds, so that a broken one fails instead of hanging.
  private func guardedLoop() throws -> EventLoop {
    let loop = try EventLoop()
    loop.deadline = EventLoop.now() + 20_000_000_000
    return loop
  }

  @Test func aReadyDescriptorCallsItsHandler() throws {
    let loop = try guardedLoop()
    let pipe = try Pipe()
    var received = 0
    try loop.add(descriptor: pipe.reading) {
      received += pipe.receive(1)
      if received == 3 { loop.stop() }
    }
    pipe.send(3)
    #expect(try loop.run() == .stopped)
    #expect(received == 3)
  }

  @Test func sourcesTakeTurnsWithoutBlocking() throws {
    let loop = try guardedLoop()
    let pipes = [try Pipe(), try Pipe()]
    var order: [Int] = []
    for (index, pipe) in pipes.enumerated() {
      var batches = 0
      try loop.addSource(descriptor: pipe.reading) {
        // The pipe is empty after the first batch; only the true result brings the others.
        if batches == 0 { #expect(pipe.receive() == 1) }
        batches += 1
        order.append(index)
        if order.count == 6 { loop.stop() }
        return batches < 3
      }
    }
    for pipe in pipes { pipe.send() }
    #expect(try loop.run() == .stopped)
    #expect(order == [0, 1, 0, 1, 0, 1])
  }

  @Test func aBusySourceDoesNotStarveTimersOrTheDeadline() throws {
    let loop = try guardedLoop()
    let pipe = try Pipe()
    pipe.send()
    var ticks = 0
    var idles = 0
    try loop.addSource(descriptor: pipe.reading) { true }
    let ticker = loop.every(nanoseconds: 20_000_000) {
      ticks += 1
      if ticks >= 3, idles >= 2 { loop.stop() }
    }
    loop.idle = { idles += 1 }
    let start = EventLoop.now()
    #expect(try loop.run() == .stopped)
    let milliseconds = Int((EventLoop.now() - start) / 1_000_000)
    #expect((2...milliseconds / 2 + 1).contains(idles), "at most every 2 ms: \(idles) in \(milliseconds) ms")
    loop.cancel(ticker)
    loop.deadline = EventLoop.now() + 30_000_000
    #expect(try loop.run() == .deadline)
  }

  @Test func removedDescriptorsAreNotCalledAgain() throws {
    let loop = try guardedLoop()
    let pipes = [try Pipe(), try Pipe()]
    var calls = 0
    for (index, pipe) in pipes.enumerated() {
      pipe.send()
      try loop.add(descriptor: pipe.reading) {
        calls += 1
        loop.remove(descriptor: pipes[0].reading)
        loop.remove(descriptor: pipes[1].reading)
        _ = index
      }
    }
    loop.deadline = nil
    #expect(try loop.run() == .nothingToWaitFor)
    #expect(calls == 1)
  }

  @Test func timersFireAndCancel() throws {
    let loop = try EventLoop()
    var log: [String] = []
    let never = loop.after(nanoseconds: 5_000_000) { log.append("never") }
    loop.after(nanoseconds: 1_000_000) {
      log.append("once")
      loop.cancel(never)
    }
    var ticks = 0
    var every: TimerID?
    every = loop.every(nanoseconds: 2_000_000) {
      ticks += 1
      if ticks == 3, let every { loop.cancel(every) }
    }
    #expect(try loop.run() == .nothingToWaitFor)
    #expect(log == ["once"])
    #expect(ticks == 3)
  }

  @Test func theDeadlineEndsTheWaitAndNotEarlier() throws {
    let loop = try EventLoop()
    let deadline = EventLoop.now() + 30_000_000
    loop.deadline = deadline
    #expect(try loop.run() == .deadline)
    #expect(EventLoop.now() >= deadline)
  }

  @Test func stoppingBeforeRunReturnsAtOnce() throws {
    let loop = try EventLoop()
    loop.after(nanoseconds: .max) {}
    loop.stop()
    #expect(try loop.run() == .stopped)
    loop.deadline = EventLoop.now()
    #expect(try loop.run() == .deadline)
  }

  @Test func idleComesBeforeTheWait() throws {
    let loop = try guardedLoop()
    let pipe = try Pipe()
    var idles = 0
    // What idle itself makes ready is found by the wait behind it.
    loop.idle = {
      idles += 1
      pipe.send()
    }
    try loop.add(descriptor: pipe.reading) {
      #expect(pipe.receive() == 1)
      loop.stop()
    }
    #expect(try loop.run() == .stopped)
    #expect(idles == 1)
  }

  @Test func errorsOfHandlersEndTheRunAndTheLoopGoesOn() throws {
    let loop = try guardedLoop()
    let pipe = try Pipe()
    pipe.send(2)
    var calls = 0
    try loop.addSource(descriptor: pipe.reading) { () throws(MoontraceError) in
      calls += 1
      if calls == 1 { throw MoontraceError(.scriptFailed, "handler failed") }
      loop.stop()
      return false
    }
    #expect(throws: MoontraceError(.scriptFailed, "handler failed")) { try loop.run() }
    #expect(try loop.run() == .stopped)
    #expect(calls == 2)
  }

  @Test func theLastDrainGoesRoundUntilAllAreDry() throws {
    let loop = try EventLoop()
    let pipes = [try Pipe(), try Pipe()]
    var left = [3, 1]
    var order: [Int] = []
    for index in 0..<2 {
      try loop.addSource(descriptor: pipes[index].reading) {
        order.append(index)
        left[index] -= 1
        return left[index] > 0
      }
    }
    #expect(try loop.drainSources(within: 10_000_000_000))
    #expect(order == [0, 1, 0, 0])
    #expect(try loop.drainSources(within: 0) == false)
  }

  @Test func whatCannotBePolledIsRefused() throws {
    let loop = try EventLoop()
    let file = OwnedDescriptor(try check("open") { open("/proc/self/exe", O_RDONLY) })
    let number = file.number
    #expect(throws: MoontraceError.self) { try loop.add(descriptor: number) {} }
    #expect(throws: MoontraceError.self) { try loop.add(descriptor: -1) {} }
    let pipe = try Pipe()
    try loop.add(descriptor: pipe.reading) {}
    #expect(throws: MoontraceError.self) { try loop.add(descriptor: pipe.reading) {} }
  }
}
