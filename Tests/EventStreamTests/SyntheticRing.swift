import CEventCore
import EventStreamTestSupport
import Glibc
import Testing

/// A ring buffer in a memory file, whose producer is the test.
final class SyntheticRing {
  let ring: UnsafeMutablePointer<mt_ring>

  init(size: UInt64 = 4096) throws {
    ring = .allocate(capacity: 1)
    let file = mts_ring_file(size)
    try #require(file >= 0)
    defer { close(file) }
    try #require(mt_ring_open(ring, file, size) == 0)
    try #require(mts_ring_become_producer(ring) == 0)
  }

  var source: UnsafeMutablePointer<mt_source> {
    UnsafeMutableRawPointer(ring).assumingMemoryBound(to: mt_source.self)
  }

  var hasData: Bool { mt_ring_has_data(ring) }

  /// Reserves a record that begins with `number`; nil when the ring is full.
  func reserve(_ number: UInt64, size: UInt32 = 8) -> UnsafeMutableRawPointer? {
    let record = mts_ring_reserve(ring, size)
    record?.storeBytes(of: number, as: UInt64.self)
    return record
  }

  @discardableResult
  func send(_ number: UInt64, size: UInt32 = 8, discard: Bool = false) -> Bool {
    guard let record = reserve(number, size: size) else { return false }
    mts_ring_commit(record, discard)
    return true
  }

  deinit {
    mt_ring_close(ring)
    ring.deallocate()
  }
}
