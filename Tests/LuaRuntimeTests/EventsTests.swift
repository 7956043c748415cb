import CEventCore
import LuaRuntime
import LuaRuntimeTestSupport
import Support
import Testing

/// Records for one test, each with its type's number before it.
final class TypedRecords {
  let source: UnsafeMutablePointer<mt_source>
  fileprivate var records: [[UInt8]] = []
  fileprivate var position = 0

  init() {
    source = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<Box>.size, alignment: 8)
      .bindMemory(to: mt_source.self, capacity: 1)
    source.initialize(to: mt_source())
    UnsafeMutableRawPointer(source).storeBytes(
      of: Unmanaged.passUnretained(self).toOpaque(), toByteOffset: MemoryLayout<mt_source>.size,
      as: UnsafeMutableRawPointer.self)
    source.pointee.drain = drainRecords
  }

  private struct Box {
    var source: mt_source
    var owner: UnsafeMutableRawPointer
  }

  deinit { UnsafeMutableRawPointer(source).deallocate() }

  func send(_ number: UInt64, _ pid: UInt32, size: Int = 64) {
    var event = mt_test_event()
    event.pid = pid
    event.ret = -2
    let record = withUnsafeBytes(of: event) { Array($0.prefix(size)) }
    records.append(withUnsafeBytes(of: number) { Array($0) } + record)
  }

  func sendRaw(_ bytes: [UInt8]) { records.append(bytes) }
}

private let drainRecords:
  @convention(c) (
    UnsafeMutablePointer<mt_source>?, UInt64, mt_record_fn?, UnsafeMutableRawPointer?
  ) -> UInt64 = { source, limit, consume, context in
    guard let source, let consume else { return 0 }
    let owner = UnsafeMutableRawPointer(source).load(
      fromByteOffset: MemoryLayout<mt_source>.size, as: UnsafeMutableRawPointer.self)
    let records = Unmanaged<TypedRecords>.fromOpaque(owner).takeUnretainedValue()
    var count: UInt64 = 0
    while count < limit, records.position < records.records.count {
      let record = records.records[records.position]
      records.position += 1
      count += 1
      if !record.withUnsafeBytes({ consume(context, $0.baseAddress, UInt32($0.count)) }) { break }
    }
    return count
  }

@Suite struct EventsTests {
  let harness: Harness
  let events: LuaEvents
  let records = TypedRecords()
  let plan: UnsafePointer<mt_plan>

  init() throws {
    harness = try Harness()
    events = LuaEvents(harness.runtime)
    plan = try #require(mt_test_event_plan())
  }

  /// Adds handlers, given as Lua text, to a type.
  private func handle(_ type: Int, _ text: String) throws {
    var function: LuaFunction?
    harness.runtime.define("keep") { call throws(MoontraceError) in
      function = try call.function(1)
      return []
    }
    try harness.publish()
    try harness.run("keep(\(text))")
    try events.add(try #require(function), toType: type)
  }

  private func drain(limit: UInt64 = .max) -> (delivered: UInt64, failure: LuaFailure?) {
    events.drain(records.source, limit: limit)
  }

  @Test func eachTypeHasItsHandlersAndTheOrderIsKept() throws {
    let (first, second) = (try events.addType(plan: plan), try events.addType(plan: plan))
    try handle(first, "function(e) print('first', e.pid) end")
    try handle(second, "function(e) print('second', e.pid) end")
    try handle(second, "function(e) print('again', e.ret) end")
    for (number, pid) in [(0, 1), (1, 2), (0, 3), (0, 4), (1, 5)] { records.send(UInt64(number), UInt32(pid)) }
    #expect(drain().delivered == 5)
    #expect(
      harness.printed()
        == "first\t1\nsecond\t2\nagain\t-2\nfirst\t3\nfirst\t4\nsecond\t5\nagain\t-2\n")
  }

  @Test func aTypeWithoutHandlersIsPrinted() throws {
    var seen: [UInt32] = []
    try withUnsafeMutablePointer(to: &seen) { seen in
      let printer = LuaEvents.Printer(
        print: { context, data, size in
          guard size == 64, let data else { return false }
          context?.assumingMemoryBound(to: [UInt32].self).pointee.append(data.load(as: UInt32.self))
          return true
        }, context: seen)
      let type = try events.addType(plan: plan, printer: printer)
      records.send(UInt64(type), 7)
      records.send(UInt64(type), 8)
      #expect(drain().delivered == 2)
      #expect(seen.pointee == [7, 8])
      try handle(type, "function(e) print(e.pid) end")
      records.send(UInt64(type), 9)
      #expect(drain().delivered == 1)
      #expect(seen.pointee == [7, 8])
      #expect(harness.printed() == "9\n")
    }
  }

  @Test func formatsPrintAsLuasOwn() throws {
    let type = try events.addType(plan: plan, format: Array("%05d %s|%x %s %q %s %.1f\n".utf8))
    records.send(UInt64(type), 42)
    #expect(drain().failure == nil)
    #expect(harness.printed() == "00042 -2|0  0 OPEN 0.0\n")
  }

  @Test func aFormatThatDoesNotFitIsAnError() throws {
    let type = try events.addType(plan: plan, format: Array("%d %d %d %d %d".utf8))
    records.send(UInt64(type), 1)
    records.send(UInt64(type), 1)
    let outcome = drain()
    #expect(outcome.delivered == 1)
    guard case .error(let error)? = outcome.failure else {
      Issue.record("no error")
      return
    }
    #expect(error.message.contains("bad argument #5 to 'printf' in a probe"))
    #expect(drain().delivered == 1)
  }

  @Test func anErrorStopsBehindItsRecordOnly() throws {
    let type = try events.addType(plan: plan)
    try handle(type, "function(e) if e.pid == 2 then error('two') end print(e.pid) end")
    for pid in 1...3 { records.send(UInt64(type), UInt32(pid)) }
    let outcome = drain()
    #expect(outcome.delivered == 2)
    #expect(outcome.failure != nil)
    #expect(drain().delivered == 1)
    #expect(harness.printed() == "1\n3\n")
  }

  @Test func recordsOfUnknownTypesAndShortOnesArePassedOver() throws {
    let type = try events.addType(plan: plan)
    try handle(type, "function(e) print(e.pid, e.ret) end")
    records.send(1, 1)
    records.send(.max, 1)
    records.sendRaw([])
    records.sendRaw([0, 0, 0, 0])
    records.send(UInt64(type), 5, size: 4)
    #expect(drain().delivered == 5)
    #expect(harness.printed() == "5\tnil\n")
  }

  @Test func viewsAreStaleBehindTheirHandler() throws {
    let (kept, next) = (try events.addType(plan: plan), try events.addType(plan: plan))
    try handle(kept, "function(e) k = e end")
    try handle(next, "function(e) print(pcall(function() return k.pid end)) end")
    records.send(UInt64(kept), 1)
    records.send(UInt64(next), 2)
    #expect(drain().failure == nil)
    #expect(
      harness.printed()
        == "false\tx.lua:1: stale event: it is valid only while its handler runs; keep it with e:copy()\n")
  }

  @Test func noAllocationForScalarFields() throws {
    let type = try events.addType(plan: plan)
    try handle(type, "function(e) last = e.pid + e.ret end")
    try harness.run("collectgarbage() collectgarbage('stop')")
    for _ in 0..<1000 { records.send(UInt64(type), 1) }
    _ = drain(limit: 10)
    let before = harness.runtime.memoryInUse
    #expect(drain().delivered == 990)
    // One block a drain, for the handlers' places.
    #expect(harness.runtime.memoryInUse - before < 200)
  }
}
