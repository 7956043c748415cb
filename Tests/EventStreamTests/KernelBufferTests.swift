import CEventCore
import EventStream
import EventStreamTestSupport
import Glibc
import KernelTestSupport
import Support
import Testing

/// Records that the running kernel sends. Maps and programs are gone with their descriptors.
struct KernelBufferTests {
  private func object(_ descriptor: Int32, _ what: Comment) throws -> OwnedDescriptor {
    try #require(descriptor >= 0, what)
    return OwnedDescriptor(descriptor)
  }

  @Test(.requires(.root))
  func aRingBufferDeliversAllThatWasSent() throws {
    let map = try object(mts_ringbuf_map(4096), "ring buffer map")
    let program = try object(mts_ringbuf_program(map.number), "ring buffer program")
    let buffer = try RingBuffer(mapDescriptor: map.number, size: 4096)
    let collector = Collector()
    var sent: [UInt64] = []
    for number in 0..<5000 as Range<UInt64> {
      #expect(mts_run(program.number, 0, number, ~number) == 0)
      sent.append(number)
      if number % 100 == 99 { collector.drain(buffer.sources[0]) }
    }
    #expect(collector.numbers == sent)
    #expect(collector.sizes.allSatisfy { $0 == 16 })
    #expect(buffer.delivered == 5000)
    #expect(buffer.hasData == false)
  }

  @Test(.requires(.root))
  func aFullRingBufferLosesOnlyWhatItRefused() throws {
    let map = try object(mts_ringbuf_map(4096), "ring buffer map")
    let program = try object(mts_ringbuf_program(map.number), "ring buffer program")
    let buffer = try RingBuffer(mapDescriptor: map.number, size: 4096)
    let collector = Collector()
    var accepted: [UInt64] = []
    for number in 0..<3000 as Range<UInt64> {
      if mts_run(program.number, 0, number, 0) == 0 { accepted.append(number) }
      if number % 500 == 499 { collector.drain(buffer.sources[0], limit: 50) }
    }
    #expect(accepted.count < 3000)
    collector.drain(buffer.sources[0])
    #expect(collector.numbers == accepted)
  }

  @Test(.requires(.root))
  func theLoopWakesForARecord() throws {
    let map = try object(mts_ringbuf_map(4096), "ring buffer map")
    let program = try object(mts_ringbuf_program(map.number), "ring buffer program")
    let buffer = try RingBuffer(mapDescriptor: map.number, size: 4096)
    let collector = Collector()
    let loop = try EventLoop()
    try loop.addSource(descriptor: buffer.descriptors[0]) {
      let more = collector.drain(buffer.sources[0], limit: 2) == 2
      if collector.numbers.count == 7 { loop.stop() }
      return more
    }
    loop.after(nanoseconds: 1_000_000) {
      for number in 0..<7 as Range<UInt64> { #expect(mts_run(program.number, 0, number, 0) == 0) }
    }
    loop.deadline = EventLoop.now() + 10_000_000_000
    #expect(try loop.run() == .stopped)
    #expect(collector.numbers == Array(0..<7))
  }

  @Test(.requires(.root))
  func whatIsLeftAtTheDeadlineIsDrained() throws {
    let map = try object(mts_ringbuf_map(4096), "ring buffer map")
    let program = try object(mts_ringbuf_program(map.number), "ring buffer program")
    let buffer = try RingBuffer(mapDescriptor: map.number, size: 4096)
    let collector = Collector()
    let loop = try EventLoop()
    try loop.addSource(descriptor: buffer.descriptors[0]) { collector.drain(buffer.sources[0], limit: 2) == 2 }
    for number in 0..<9 as Range<UInt64> { #expect(mts_run(program.number, 0, number, 0) == 0) }
    loop.deadline = EventLoop.now()
    #expect(try loop.run() == .deadline)
    #expect(collector.numbers.isEmpty)
    #expect(try loop.drainSources(within: 10_000_000_000))
    #expect(collector.numbers == Array(0..<9))
  }

  private func perfBuffer(_ map: borrowing OwnedDescriptor, pages: Int) throws -> PerfBuffer {
    let number = map.number
    return try PerfBuffer(pages: pages) { cpu, descriptor throws(MoontraceError) in
      let status = mts_map_set(number, UInt32(cpu), UInt32(descriptor))
      if status != 0 { throw MoontraceError(.scriptFailed, "map update: \(errnoText(-status))") }
    }
  }

  @Test(.requires(.root))
  func aPerfBufferDeliversAllThatWasSentOnEachCPU() throws {
    let map = try object(mts_perf_map(), "perf event array")
    let program = try object(mts_perf_program(map.number), "perf program")
    let buffer = try perfBuffer(map, pages: 1)
    var collectors = buffer.sources.map { _ in Collector() }
    for number in 0..<5000 as Range<UInt64> {
      for (cpu, source) in buffer.sources.enumerated() {
        #expect(mts_run(program.number, Int32(cpu), number, 0) == 0)
        if number % 50 == 49 { collectors[cpu].drain(source) }
      }
    }
    for collector in collectors { #expect(collector.numbers == Array(0..<5000)) }
    // 16 bytes behind a 4-byte size are padded to 24.
    #expect(collectors[0].sizes.allSatisfy { $0 == 20 })
    #expect(buffer.delivered == 5000 * UInt64(buffer.sources.count))
    #expect(buffer.lost == 0)
    collectors.removeAll()
  }

  @Test(.requires(.root))
  func aFullPerfBufferCountsWhatItLost() throws {
    let map = try object(mts_perf_map(), "perf event array")
    let program = try object(mts_perf_program(map.number), "perf program")
    let buffer = try perfBuffer(map, pages: 1)
    let collector = Collector()
    var accepted: [UInt64] = []
    for number in 0..<1000 as Range<UInt64> {
      if mts_run(program.number, 0, number, 0) == 0 { accepted.append(number) }
    }
    #expect(accepted.count < 1000)
    collector.drain(buffer.sources[0])
    // The kernel tells of losses in front of the next record.
    #expect(mts_run(program.number, 0, 1000, 0) == 0)
    collector.drain(buffer.sources[0])
    #expect(collector.numbers == accepted + [1000])
    #expect(buffer.lost == UInt64(1000 - accepted.count))
  }

  @Test(.requires(.root))
  func theLoopWakesForAPerfRecordAndGoesOnUntilItIsDry() throws {
    let map = try object(mts_perf_map(), "perf event array")
    let program = try object(mts_perf_program(map.number), "perf program")
    let buffer = try perfBuffer(map, pages: 8)
    let collector = Collector()
    let loop = try EventLoop()
    for (source, descriptor) in zip(buffer.sources, buffer.descriptors) {
      try loop.addSource(descriptor: descriptor) {
        let more = collector.drain(source, limit: 1) == 1
        if collector.numbers.count == 5 { loop.stop() }
        return more
      }
    }
    loop.after(nanoseconds: 1_000_000) {
      for number in 0..<5 as Range<UInt64> { #expect(mts_run(program.number, 0, number, 0) == 0) }
    }
    loop.deadline = EventLoop.now() + 10_000_000_000
    #expect(try loop.run() == .stopped)
    #expect(collector.numbers == Array(0..<5))
  }

  @Test func wrongSizesAreExplained() throws {
    let error = #expect(throws: MoontraceError.self) {
      _ = try RingBuffer(mapDescriptor: 0, size: 5000, name: "events")
    }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("map 'events'") == true)
    #expect(error?.remedy?.contains("power of two") == true)
    #expect(throws: MoontraceError.self) { _ = try PerfBuffer(pages: 3) { _, _ in } }
    #expect(throws: MoontraceError.self) { _ = try PerfBuffer(pages: 0) { _, _ in } }
  }

  @Test func aFailedInstallEndsTheInit() {
    #expect(throws: MoontraceError(.scriptFailed, "no room")) {
      _ = try PerfBuffer(pages: 1) { _, _ throws(MoontraceError) in throw MoontraceError(.scriptFailed, "no room") }
    }
  }
}
