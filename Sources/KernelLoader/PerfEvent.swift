import CLibbpf
import Glibc
import Support

/// Perf events that run a program: perf_event_open(2).
enum PerfEvent {
  static func attributes(type: perf_type_id, config: UInt64) -> perf_event_attr {
    var attributes = perf_event_attr()
    attributes.type = type.rawValue
    attributes.size = UInt32(MemoryLayout<perf_event_attr>.size)
    attributes.config = config
    return attributes
  }

  /// What the kernel is to count for a SPEC; nil for SPECs that are no perf events.
  static func attributes(for spec: AttachSpec) -> perf_event_attr? {
    let clock = UInt64(PERF_COUNT_SW_CPU_CLOCK.rawValue)
    switch spec {
    case .profile(let hertz): return sampled(PERF_TYPE_SOFTWARE, clock, hertz: UInt64(hertz))
    case .interval(let nanoseconds): return sampled(PERF_TYPE_SOFTWARE, clock, nanoseconds)
    case .software(let event, let count): return sampled(PERF_TYPE_SOFTWARE, event.config, count)
    case .hardware(let event, let count): return sampled(PERF_TYPE_HARDWARE, event.config, count)
    case .perfEvent(let event, let rate):
      let type = event.isHardware ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE
      switch rate {
      case .count(let count): return sampled(type, event.config, count)
      case .hertz(let hertz): return sampled(type, event.config, hertz: hertz)
      }
    default: return nil
    }
  }

  private static func sampled(_ type: perf_type_id, _ config: UInt64, hertz: UInt64) -> perf_event_attr {
    var attributes = attributes(type: type, config: config)
    attributes.freq = 1
    attributes.sample_freq = hertz
    return attributes
  }

  private static func sampled(_ type: perf_type_id, _ config: UInt64, _ period: UInt64) -> perf_event_attr {
    var attributes = attributes(type: type, config: config)
    attributes.sample_period = period
    return attributes
  }

  /// Opens the event on one CPU (-1: any) for one process (-1: all).
  static func open(_ attributes: perf_event_attr, process: Int32, cpu: Int32) throws(KernelFailure) -> OwnedDescriptor {
    var attributes = attributes
    let event = mt_perf_event_open(&attributes, process, cpu)
    if event < 0 { throw KernelFailure(number: errno) }
    return OwnedDescriptor(event)
  }

  /// The CPUs that run now: perf events can't be opened on others.
  static func onlineCPUs() -> [Int32] {
    let text = (try? readFile("/sys/devices/system/cpu/online")).map { String(decoding: $0, as: UTF8.self) } ?? "0"
    return parseCPUList(text)
  }

  /// `0-3,8` in the kernel's notation.
  static func parseCPUList(_ text: String) -> [Int32] {
    text.split(whereSeparator: { $0 == "," || $0 == "\n" }).flatMap { range -> [Int32] in
      let ends = range.split(separator: "-").compactMap { Int32($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return [] }
      return Array(first...last)
    }
  }
}
