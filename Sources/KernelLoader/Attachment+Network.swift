import CLibbpf
import Glibc
import Support

// Attachments to network interfaces and to the road of packets behind them.
extension Attachment {
  func index(of interface: String) throws(MoontraceError) -> Int32 {
    let index = if_nametoindex(interface)
    if index > 0 { return Int32(index) }
    throw MoontraceError(
      .usage, "there is no network interface '\(interface)'\(suggestionHint(for: interface, in: Self.interfaces()))")
  }

  private static func interfaces() -> [String] {
    guard let list = if_nameindex() else { return [] }
    defer { if_freenameindex(list) }
    var names: [String] = []
    var entry = list
    while entry.pointee.if_index != 0, let name = entry.pointee.if_name {
      names.append(String(cString: name))
      entry += 1
    }
    return names
  }

  func xdp(_ interface: String, _ mode: XDPMode?) throws(MoontraceError) -> Link.Part {
    let index = try index(of: interface)
    var options = bpf_link_create_opts()
    options.sz = optionsSize(upTo: \bpf_link_create_opts.flags)
    options.flags = mode?.flag ?? 0
    do throws(KernelFailure) {
      return .descriptor(try checkLibbpf { bpf_link_create(program.descriptor, index, BPF_XDP, &options) })
    } catch {
      throw occupied(error, interface) ?? noDriver(error, interface, mode) ?? failure(error)
    }
  }

  private func occupied(_ failure: KernelFailure, _ interface: String) -> MoontraceError? {
    guard failure.number == EBUSY || failure.number == EEXIST else { return nil }
    return MoontraceError(
      .unsupported, "another XDP program is on interface '\(interface)' already",
      remedy: "remove it first: ip link set \(interface) xdp off")
  }

  private func noDriver(_ failure: KernelFailure, _ interface: String, _ mode: XDPMode?) -> MoontraceError? {
    guard mode == .native, failure.number == EOPNOTSUPP else { return nil }
    return MoontraceError(
      .unsupported, "the driver of interface '\(interface)' can't run XDP programs",
      remedy: "xdp:\(interface):skb runs them in the network stack")
  }

  /// A tcx link, which ends with this process; on kernels without them, and where the SPEC wants one, a tc filter.
  func trafficControl(
    _ interface: String, _ direction: AttachSpec.TrafficDirection, _ queue: TrafficQueue
  ) throws(MoontraceError) -> Link.Part {
    let index = try index(of: interface)
    if queue == .link { try require(KernelFeatures.tcx) }
    let point = direction == .ingress ? KernelFeatures.TrafficLink.ingress : KernelFeatures.TrafficLink.egress
    do throws(KernelFailure) {
      if case .filter(let priority, let handle) = queue {
        let place = TrafficFilter.Place(interface: index, direction: direction, priority: priority, handle: handle)
        return .filter(try TrafficFilter(program: program.descriptor, place))
      }
      guard KernelFeatures.tcx.isAvailable else {
        let place = TrafficFilter.Place(interface: index, direction: direction)
        return .filter(try TrafficFilter(program: program.descriptor, place))
      }
      return .descriptor(try checkLibbpf { bpf_link_create(program.descriptor, index, point, nil) })
    } catch {
      throw sameFilter(error, interface, direction) ?? failure(error)
    }
  }

  private func sameFilter(
    _ failure: KernelFailure, _ interface: String, _ direction: AttachSpec.TrafficDirection
  ) -> MoontraceError? {
    guard failure.number == EEXIST else { return nil }
    return MoontraceError(
      .unsupported, "another filter of this priority and handle is on interface '\(interface)' already",
      remedy: "choose others, or remove it first: tc filter show dev \(interface) \(direction.rawValue)",
      detail: failure.detail)
  }

  func netfilter(_ hook: NetfilterHook) throws(MoontraceError) -> Link.Part {
    let link = mt_link_netfilter(program.descriptor, hook.family.number, hook.point.number, hook.priority)
    if link >= 0 { return .descriptor(link) }
    switch -link {
    case EBUSY:
      throw MoontraceError(
        .unsupported, "another program is at \(spec) already", remedy: "choose another priority")
    case ERANGE:
      throw MoontraceError(.usage, "the kernel keeps priority \(hook.priority) for itself", remedy: "choose another")
    case EAFNOSUPPORT, EOPNOTSUPP, EPROTO:
      throw MoontraceError(.unsupported, "this kernel has no netfilter hook \(hook)")
    case let number: throw failure(KernelFailure(number: number))
    }
  }
}
