import CLibbpf
import Glibc
import Support

// Attachments to cgroups, network namespaces and sockets.
extension Attachment {
  func cgroup(_ path: String) throws(MoontraceError) -> Link.Part {
    guard let path = path.isEmpty ? Mounts.now().first("cgroup2") : path else {
      throw MoontraceError(
        .usage, "no version 2 cgroup hierarchy is mounted", remedy: "mount -t cgroup2 cgroup2 /sys/fs/cgroup")
    }
    return try directory(path) { bpf_program__attach_cgroup(program.pointer, $0) }
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
    var error = MoontraceError.noCgroup(path)
    error.detail = failure.detail
    return error
  }

  func socket(_ target: AttachSpec.SocketTarget) throws(MoontraceError) -> Link.Part {
    switch target {
    case .descriptor(let descriptor):
      try putProgram(on: descriptor)
      return .socket(descriptor, isOwned: false, detach: detachOption)
    case .process(let process, let descriptor):
      let socket = try copy(of: descriptor, in: process)
      try putProgram(on: socket.number)
      return .socket(socket.take(), isOwned: true, detach: detachOption)
    case .packets(let interface):
      let socket = try packetSocket(interface)
      try putProgram(on: socket.number)
      return .socket(socket.take(), isOwned: true, detach: detachOption)
    }
  }

  /// A descriptor of our own for a socket of another process, which both then share.
  private func copy(of descriptor: Int32, in process: Int32) throws(MoontraceError) -> OwnedDescriptor {
    let copy = mt_copy_descriptor(process, descriptor)
    if copy >= 0 { return OwnedDescriptor(copy) }
    switch errno {
    case ESRCH, EINVAL: throw MoontraceError(.usage, "there is no process \(process)")
    case EPERM:
      throw MoontraceError(
        .notPermitted, "this process may not take descriptors of process \(process)",
        remedy: "run as root, outside of a container")
    case EBADF: throw MoontraceError(.usage, "process \(process) has no descriptor \(descriptor)")
    case ENOSYS:
      throw MoontraceError(
        .unsupported, "this kernel gives no copies of other processes' descriptors: it is older than 5.6")
    case let number: throw failure(KernelFailure(number: number))
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
      throw MoontraceError(.usage, noSocket(socket))
    }
    throw failure(KernelFailure(number: errno))
  }

  private func noSocket(_ descriptor: Int32) -> String {
    if case .socket(.process(let process, let number)) = spec {
      return "descriptor \(number) of process \(process) is no socket"
    }
    return "descriptor \(descriptor) is no socket of this process"
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

extension MoontraceError {
  /// Where a cgroup is asked for; the caller says by whom.
  static func noCgroup(_ path: String) -> MoontraceError {
    MoontraceError(
      .usage, "'\(path)' is no directory of a version 2 cgroup hierarchy", remedy: "give one below /sys/fs/cgroup")
  }
}
