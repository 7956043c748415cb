import CEventCore

/// A kernel buffer that records come out of: a `RingBuffer` or a `PerfBuffer`.
///
/// Confined to one thread, like the loop that polls it.
public protocol EventBuffer: AnyObject {
  /// What to drain, one for each of `descriptors` and in the same order; valid while the buffer lives.
  var sources: [UnsafeMutablePointer<mt_source>] { get }
  /// What to poll. The buffer (or its map) goes on owning them.
  var descriptors: [Int32] { get }
}

extension EventBuffer {
  /// Records handed out since the buffer was opened.
  public var delivered: UInt64 {
    sources.reduce(0) { $0 + $1.pointee.delivered }
  }

  /// Losses that the kernel reported in the buffer itself; ring buffers report none.
  public var lost: UInt64 {
    sources.reduce(0) { $0 + $1.pointee.lost }
  }
}
