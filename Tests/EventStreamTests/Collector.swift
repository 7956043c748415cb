import CEventCore
import EventStreamTestSupport

/// Takes records and keeps the 64-bit numbers that they begin with.
final class Collector {
  var numbers: [UInt64] = []
  var sizes: [UInt32] = []
  /// Ends the drain after this many records.
  var stopAfter = Int.max

  @discardableResult
  func drain(_ source: UnsafeMutablePointer<mt_source>, limit: UInt64 = .max) -> UInt64 {
    let context = Unmanaged.passUnretained(self).toOpaque()
    return mts_drain(
      source, limit,
      { context, data, size in
        guard let context, let data else { return false }
        let collector = Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
        collector.numbers.append(data.loadUnaligned(as: UInt64.self))
        collector.sizes.append(size)
        return collector.numbers.count < collector.stopAfter
      }, context)
  }
}
