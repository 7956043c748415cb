import CEventCore
import Glibc
import Support

/// The user half of a `BPF_MAP_TYPE_RINGBUF` map.
///
/// ```swift
/// let buffer = try RingBuffer(mapDescriptor: map.descriptor, size: 8 << 20)
/// ```
public final class RingBuffer: EventBuffer {
  public let sources: [UnsafeMutablePointer<mt_source>]
  public let descriptors: [Int32]
  private let ring: UnsafeMutablePointer<mt_ring>

  /// Maps the ring buffer into this process. `size` is the map's `max_entries` in bytes, a power of two and at least a
  /// page. The map's descriptor stays the caller's and must outlive the buffer, because the loop polls it.
  public init(mapDescriptor: Int32, size: Int, name: String = "ring buffer") throws(MoontraceError) {
    let ring = UnsafeMutablePointer<mt_ring>.allocate(capacity: 1)
    let status = mt_ring_open(ring, mapDescriptor, UInt64(clamping: size))
    guard status == 0 else {
      ring.deallocate()
      throw Self.failure(-status, size: size, name: name)
    }
    self.ring = ring
    sources = [UnsafeMutableRawPointer(ring).assumingMemoryBound(to: mt_source.self)]
    descriptors = [mapDescriptor]
  }

  private static func failure(_ number: Int32, size: Int, name: String) -> MoontraceError {
    guard number == EINVAL else { return MoontraceError("map '\(name)': mapping \(size) bytes", number) }
    return MoontraceError(
      .usage, "map '\(name)': \(size) bytes is not this ring buffer's size",
      remedy: "a ring buffer's size is a power of two and at least a page of \(sysconf(Int32(_SC_PAGESIZE))) bytes")
  }

  /// Whether a finished record waits.
  public var hasData: Bool { mt_ring_has_data(ring) }

  deinit {
    mt_ring_close(ring)
    ring.deallocate()
  }
}
