import CEventCore
import Glibc
import Support

/// The user half of a `BPF_MAP_TYPE_PERF_EVENT_ARRAY` map: one buffer per CPU that was online at the start.
///
/// A record's size may be up to 7 bytes more than the program sent (the kernel pads it). Records keep their order on
/// one CPU, not across CPUs.
///
/// ```swift
/// let buffer = try PerfBuffer(pages: 64) { cpu, descriptor throws(MoontraceError) in
///   try map.update(key: UInt32(cpu), value: UInt32(descriptor))
/// }
/// ```
public final class PerfBuffer: EventBuffer {
  private let channels: [Channel]

  public var sources: [UnsafeMutablePointer<mt_source>] { channels.map(\.source) }
  public var descriptors: [Int32] { channels.map(\.descriptor) }

  /// Opens `pages` pages of data (a power of two) on each CPU, and hands each one's descriptor to `install`, which
  /// puts it into the BPF map at the CPU's index. The loop wakes after `wakeupEvents` records: with more than 1,
  /// records wait until that many have come, or until something else makes the owner drain.
  public init(
    pages: Int, wakeupEvents: UInt32 = 1, name: String = "perf buffer",
    install: (_ cpu: Int32, _ descriptor: Int32) throws(MoontraceError) -> Void
  ) throws(MoontraceError) {
    guard pages > 0, pages & (pages - 1) == 0, let count = UInt32(exactly: pages) else {
      throw MoontraceError(
        .usage, "map '\(name)': \(pages) pages per CPU", remedy: "give a power of two, such as 64")
    }
    var channels: [Channel] = []
    for cpu in try onlineCPUs() {
      guard let channel = try Channel(cpu: cpu, pages: count, wakeupEvents: wakeupEvents, name: name) else { continue }
      try install(cpu, channel.descriptor)
      channels.append(channel)
    }
    self.channels = channels
  }
}

/// One CPU's part, closed when dropped.
private final class Channel {
  private let perf: UnsafeMutablePointer<mt_perf>

  /// Nil when the CPU has gone offline meanwhile: nothing can be sent from it.
  init?(cpu: Int32, pages: UInt32, wakeupEvents: UInt32, name: String) throws(MoontraceError) {
    perf = .allocate(capacity: 1)
    let status = mt_perf_open(perf, cpu, pages, wakeupEvents)
    if status == -ENODEV { return nil }
    if status != 0 {
      throw MoontraceError("map '\(name)': opening a perf buffer of \(pages) pages on CPU \(cpu)", -status)
    }
  }

  var source: UnsafeMutablePointer<mt_source> {
    UnsafeMutableRawPointer(perf).assumingMemoryBound(to: mt_source.self)
  }

  var descriptor: Int32 { perf.pointee.fd }

  // Runs after a failed init too: by then all members are set, and a perf buffer that did not open closes as well.
  deinit {
    mt_perf_close(perf)
    perf.deallocate()
  }
}
