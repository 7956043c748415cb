import Support

// SPECs of places in the network: `xdp`, `tc`, `tcx`, `netfilter`, `socket`.
extension AttachSpecParser {
  func xdp() throws(MoontraceError) -> AttachSpec {
    let form = "xdp:INTERFACE, xdp:INTERFACE:skb or xdp:INTERFACE:drv"
    let fields = try fields(1...2, form)
    guard fields.count == 2 else { return .xdp(interface: fields[0]) }
    guard let mode = XDPMode(rawValue: fields[1]) else { throw wrongForm(form) }
    return .xdp(interface: fields[0], mode: mode)
  }

  func trafficControl() throws(MoontraceError) -> AttachSpec {
    let form = "tc:INTERFACE:ingress or tc:INTERFACE:egress, and :PRIORITY or :PRIORITY:HANDLE for a filter"
    let fields = try fields(2...4, form)
    guard let direction = AttachSpec.TrafficDirection(rawValue: fields[1]) else { throw wrongForm(form) }
    guard fields.count > 2 else { return .trafficControl(interface: fields[0], direction: direction) }
    let numbers = fields.dropFirst(2).compactMap(Self.number)
    guard numbers.count == fields.count - 2,
      let queue = TrafficQueue(priority: numbers[0], handle: numbers.dropFirst().first ?? 0)
    else { throw wrongForm(form) }
    return .trafficControl(interface: fields[0], direction: direction, queue: queue)
  }

  func trafficLink() throws(MoontraceError) -> AttachSpec {
    let form = "tcx:INTERFACE:ingress or tcx:INTERFACE:egress"
    let fields = try fields(2, form)
    guard let direction = AttachSpec.TrafficDirection(rawValue: fields[1]) else { throw wrongForm(form) }
    return .trafficControl(interface: fields[0], direction: direction, queue: .link)
  }

  func netfilter() throws(MoontraceError) -> AttachSpec {
    let hooks = NetfilterHook.Point.allCases.map(\.rawValue).joined(separator: ", ")
    let form = "netfilter:ipv4:HOOK[:PRIORITY] or netfilter:ipv6:HOOK[:PRIORITY]; HOOK is one of \(hooks)"
    let fields = try fields(2...3, form)
    guard let family = NetfilterHook.Family(rawValue: fields[0]), let point = NetfilterHook.Point(rawValue: fields[1]),
      let priority = fields.count == 3 ? Int32(fields[2]) : 0
    else { throw wrongForm(form) }
    return .netfilter(NetfilterHook(family: family, point: point, priority: priority))
  }

  var socketTarget: AttachSpec.SocketTarget {
    if let descriptor = Int32(rest) { return .descriptor(descriptor) }
    let numbers = rest.split(separator: ":", omittingEmptySubsequences: false).map { Int32($0) }
    if numbers.count == 2, let process = numbers[0], let descriptor = numbers[1] {
      return .process(process, descriptor: descriptor)
    }
    return .packets(interface: rest.isEmpty ? nil : rest)
  }

  /// So many fields, none of them empty.
  private func fields(_ count: ClosedRange<Int>, _ form: String) throws(MoontraceError) -> [String] {
    let fields = rest.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard count.contains(fields.count), !fields.contains("") else { throw wrongForm(form) }
    return fields
  }
}
