import CEventCore
import EventStreamTestSupport
import Glibc
import Testing

struct SyntheticRingTests {
  @Test func recordsComeInOrderAroundTheEnd() throws {
    let ring = try SyntheticRing()
    let collector = Collector()
    var sent: [UInt64] = []
    for number in 0..<2000 as Range<UInt64> {
      // Sizes that are no divisors of the ring, so that records lie across its end in every way.
      #expect(ring.send(number, size: 8 + UInt32(number % 61)))
      sent.append(number)
      if number % 20 == 19 { collector.drain(ring.source) }
    }
    #expect(collector.numbers == sent)
    #expect(collector.sizes == sent.map { 8 + UInt32($0 % 61) })
    #expect(ring.source.pointee.delivered == 2000)
    #expect(ring.source.pointee.lost == 0)
  }

  @Test func aBusyRecordHoldsBackThoseBehindIt() throws {
    let ring = try SyntheticRing()
    let collector = Collector()
    ring.send(1)
    let busy = try #require(ring.reserve(2))
    ring.send(3)
    #expect(collector.drain(ring.source) == 1)
    #expect(ring.hasData == false)
    mts_ring_commit(busy, false)
    #expect(ring.hasData)
    #expect(collector.drain(ring.source) == 2)
    #expect(collector.numbers == [1, 2, 3])
  }

  @Test func discardedRecordsArePassedOver() throws {
    let ring = try SyntheticRing()
    let collector = Collector()
    ring.send(1, discard: true)
    #expect(ring.hasData == false)
    ring.send(2)
    ring.send(3, discard: true)
    #expect(ring.hasData)
    #expect(collector.drain(ring.source) == 1)
    #expect(collector.numbers == [2])
    #expect(mts_ring_published(ring.ring) == 48)
    #expect(ring.source.pointee.delivered == 1)
  }

  @Test func limitsBoundADrain() throws {
    let ring = try SyntheticRing()
    let collector = Collector()
    for number in 0..<10 as Range<UInt64> { ring.send(number) }
    #expect(collector.drain(ring.source, limit: 0) == 0)
    #expect(collector.drain(ring.source, limit: 3) == 3)
    #expect(mts_ring_published(ring.ring) == 48)
    collector.stopAfter = 5
    #expect(collector.drain(ring.source) == 2)
    collector.stopAfter = .max
    #expect(collector.drain(ring.source) == 5)
    #expect(collector.numbers == Array(0..<10))
    #expect(ring.hasData == false)
  }

  @Test func spaceIsGivenBackWhileADrainRuns() throws {
    let ring = try SyntheticRing(size: 65536)
    var number: UInt64 = 0
    while ring.send(number, size: 56) { number += 1 }
    // The consumer asks how far the ring was published when it got each record.
    var lags: [UInt64] = []
    withUnsafeMutablePointer(to: &lags) { lags in
      var context = (ring: ring.ring, lags: lags)
      _ = mts_drain(
        ring.source, .max,
        { context, _, _ in
          guard
            let state = context?.assumingMemoryBound(
              to: (UnsafeMutablePointer<mt_ring>, UnsafeMutablePointer<[UInt64]>).self)
          else { return false }
          state.pointee.1.pointee.append(state.pointee.0.pointee.position - mts_ring_published(state.pointee.0))
          return true
        }, &context)
    }
    #expect(lags.count == Int(number))
    #expect(lags.allSatisfy { $0 <= 4096 + 64 })
    #expect(lags.filter { $0 == 64 }.count < lags.count / 10)
  }

  @Test func aJumpOutOfTheConsumerCountsItsRecord() throws {
    let ring = try SyntheticRing()
    let collector = Collector()
    for number in 0..<5 as Range<UInt64> { ring.send(number) }
    #expect(mts_drain_until_jump(ring.source, 2) == 2)
    #expect(ring.source.pointee.delivered == 2)
    #expect(ring.hasData)
    #expect(collector.drain(ring.source, limit: 1) == 1)
    #expect(collector.numbers == [2])
    #expect(mts_ring_published(ring.ring) == 48)
  }

  @Test func aDrainAfterAJumpFromTheLastRecordPublishes() throws {
    let ring = try SyntheticRing()
    ring.send(1)
    #expect(mts_drain_until_jump(ring.source, 1) == 1)
    #expect(mts_ring_published(ring.ring) == 0)
    #expect(Collector().drain(ring.source) == 0)
    #expect(mts_ring_published(ring.ring) == 16)
  }

  @Test(arguments: [0, 1, 4095, 6000, 1 << 63] as [UInt64])
  func absurdSizesAreRefused(_ size: UInt64) throws {
    let file = mts_ring_file(4096)
    defer { close(file) }
    var ring = mt_ring()
    #expect(mt_ring_open(&ring, file, size) == -EINVAL)
  }

  /// Meant for ThreadSanitizer as much as for the numbers.
  @Test func aProducerAndAConsumerRunAgainstEachOther() throws {
    let ring = try SyntheticRing()
    let count: UInt64 = 200_000
    // The producer owns the producer's half, this thread the consumer's: the ring is what keeps them apart.
    nonisolated(unsafe) let producerRing = ring
    let producer = try Worker {
      var sent: UInt64 = 0
      while sent < count {
        if producerRing.send(sent, size: 8 + UInt32(sent % 40), discard: sent % 7 == 3) {
          sent += 1
        } else {
          sched_yield()
        }
      }
    }
    let collector = Collector()
    let wanted = (0..<count).filter { $0 % 7 != 3 }
    while collector.numbers.count < wanted.count {
      if collector.drain(ring.source, limit: 100) == 0 { sched_yield() }
    }
    producer.join()
    #expect(collector.numbers == wanted)
    #expect(ring.source.pointee.delivered == UInt64(wanted.count))
  }
}
