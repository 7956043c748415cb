/// What holds a tc program on its interface.
public enum TrafficQueue: Equatable, Sendable {
  /// A link, or on kernels before 6.6 a filter wherever there is room.
  case best
  /// A link, which ends with this process (Linux 6.6).
  case link
  /// A filter of the interface's clsact queue; 0 is what the kernel chooses.
  case filter(priority: UInt32, handle: UInt32)

  /// A filter; nil when its numbers are none that the kernel takes (16 bits of priority, 32 of handle).
  public init?(priority: UInt64, handle: UInt64) {
    guard priority <= UInt64(UInt16.max), let handle = UInt32(exactly: handle) else { return nil }
    self = .filter(priority: UInt32(priority), handle: handle)
  }
}

extension TrafficQueue: CustomStringConvertible {
  /// What a SPEC says behind the direction.
  public var description: String {
    switch self {
    case .best, .link: ""
    case .filter(let priority, 0): ":\(priority)"
    case .filter(let priority, let handle): ":\(priority):\(handle)"
    }
  }
}
