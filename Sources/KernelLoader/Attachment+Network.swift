import CLibbpf
import Glibc
import Support

// Attachments to network interfaces, cgroups and sockets.
extension Attachment {
  private func index(of interface: String) throws(MoontraceError) -> Int32 {
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

  func xdp(_ interface: String) throws(MoontraceError) -> Link.Part {
    let index = try index(of: interface)
    return try libbpf(explain: { occupied($0, interface) }) { bpf_program__attach_xdp(program.pointer, index) }
  }

  private func occupied(_ failure: KernelFailure, _ interface: String) -> MoontraceError? {
    guard failure.number == EBUSY || failure.number == EEXIST else { return nil }
    return MoontraceError(
      .unsupported, "another XDP program is on interface '\(interface)' already",
      remedy: "remove it first: ip link set \(interface) xdp off")
  }

  /// A tcx link, which ends with this process; on kernels without them a tc filter.
  func trafficControl(
    _ interface: String, _ direction: AttachSpec.TrafficDirection
  ) throws(MoontraceError) -> Link.Part {
    let index = try index(of: interface)
    let point = direction == .ingress ? KernelFeatures.TrafficLink.ingress : KernelFeatures.TrafficLink.egress
    do throws(KernelFailure) {
      guard KernelFeatures.tcx.isAvailable else {
        return .filter(try TrafficFilter(program: program.descriptor, interface: index, direction: direction))
      }
      return .descriptor(try checkLibbpf { bpf_link_create(program.descriptor, index, point, nil) })
    } catch {
      throw failure(error)
    }
  }

  /// Opens a directory or namespace file and attaches to it; the kernel keeps what it needs.
  func directory(_ path: String, _ attach: (Int32) -> OpaquePointer?) throws(MoontraceError) -> Link.Part {
    let opened: Int32
    do throws(SystemError) {
      opened = try check("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) }
    } catch {
      throw MoontraceError(.usage, "can't attach to \(spec): \(error)")
    }
    let target = OwnedDescriptor(opened)
    return try libbpf(explain: { noCgroup($0, path) }) { attach(target.number) }
  }

  private func noCgroup(_ failure: KernelFailure, _ path: String) -> MoontraceError? {
    guard case .cgroup = spec, failure.number == EBADF || failure.number == EINVAL else { return nil }
    return MoontraceError(
      .usage, "'\(path)' is no directory of a version 2 cgroup hierarchy", remedy: "give one below /sys/fs/cgroup",
      detail: failure.detail)
  }

  func socket(_ target: AttachSpec.SocketTarget) throws(MoontraceError) -> Link.Part {
    switch target {
    case .descriptor(let descriptor):
      try putProgram(on: descriptor)
      return .socket(descriptor, isOwned: false, detach: detachOption)
    case .packets(let interface):
      let socket = try packetSocket(interface)
      try putProgram(on: socket.number)
      return .socket(socket.take(), isOwned: true, detach: detachOption)
    }
  }

  private var detachOption: Int32 {
    program.type == .socketReuse ? SO_DETACH_REUSEPORT_BPF : SO_DETACH_FILTER
  }

  private func putProgram(on socket: Int32) throws(MoontraceError) {
    let option = program.type == .socketReuse ? SO_ATTACH_REUSEPORT_EBPF : SO_ATTACH_BPF
    var descriptor = program.descriptor
    if setsockopt(socket, SOL_SOCKET, option, &descriptor, socklen_t(MemoryLayout<Int32>.size)) == 0 { return }
    if errno == EBADF || errno == ENOTSOCK {
      throw MoontraceError(.usage, "descriptor \(socket) is no socket of this process")
    }
    throw failure(KernelFailure(number: errno))
  }

  /// A packet socket that sees all packets; its queue is never read, so the kernel drops them after the program ran.
  private func packetSocket(_ interface: String?) throws(MoontraceError) -> OwnedDescriptor {
    let index = try interface.map { name throws(MoontraceError) in try self.index(of: name) } ?? 0
    let allProtocols = UInt16(ETH_P_ALL).bigEndian
    let opened = Glibc.socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(allProtocols))
    guard opened >= 0 else { throw failure(KernelFailure(number: errno)) }
    let socket = OwnedDescriptor(opened)
    var address = sockaddr_ll()
    address.sll_family = UInt16(AF_PACKET)
    address.sll_protocol = allProtocols
    address.sll_ifindex = index
    let bound = withUnsafeBytes(of: &address) {
      bind(opened, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    guard bound == 0 else { throw failure(KernelFailure(number: errno)) }
    return socket
  }

  func socketMap(_ name: String) throws(MoontraceError) -> Link.Part {
    let map = bpf_object__find_map_fd_by_name(program.handle.pointer, name)
    guard map >= 0 else { throw MoontraceError(.usage, "its object has no map '\(name)'") }
    let type = bpf_program__expected_attach_type(program.pointer)
    do throws(KernelFailure) {
      try checkLibbpf { bpf_prog_attach(program.descriptor, map, type, 0) }
    } catch {
      throw failure(error)
    }
    return .socketMap(program: program.descriptor, map: map, type: type)
  }
}
