/// A place in the road of packets through the kernel's netfilter, as firewalls know them.
public struct NetfilterHook: Equatable, Sendable {
  public enum Family: String, Sendable, CaseIterable {
    case ipv4, ipv6

    /// `NFPROTO_…` (linux/netfilter.h).
    var number: UInt32 { self == .ipv4 ? 2 : 10 }
  }

  /// In the order of `enum nf_inet_hooks` (linux/netfilter.h).
  public enum Point: String, Sendable, CaseIterable {
    case preRouting = "pre_routing"
    case localIn = "local_in"
    case forward
    case localOut = "local_out"
    case postRouting = "post_routing"

    var number: UInt32 { UInt32(Self.allCases.firstIndex(of: self) ?? 0) }
  }

  public var family: Family
  public var point: Point
  /// Lower ones see a packet first; a firewall's own rules filter at 0.
  public var priority: Int32

  public init(family: Family, point: Point, priority: Int32 = 0) {
    self.family = family
    self.point = point
    self.priority = priority
  }
}

extension NetfilterHook: CustomStringConvertible {
  public var description: String { "\(family.rawValue):\(point.rawValue):\(priority)" }
}
