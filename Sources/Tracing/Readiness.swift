import Glibc
import Support

/// Tells whoever started the program that all probes are live (SPEC §1, Ready).
func announceReadiness() {
  if let text = environment("MOONTRACE_NOTIFY_FD"), let descriptor = Int32(text) {
    try? writeAll(descriptor, Array("attached\n".utf8), name: "MOONTRACE_NOTIFY_FD")
  }
  if let socketPath = environment("NOTIFY_SOCKET") { notifyServiceManager(socketPath) }
}

/// sd_notify(3) in its plain form: one datagram to the service manager's socket.
private func notifyServiceManager(_ path: String) {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  let bytes = Array(path.utf8)
  guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
  withUnsafeMutableBytes(of: &address.sun_path) { place in
    place.copyBytes(from: bytes)
    if bytes[0] == UInt8(ascii: "@") { place[0] = 0 }
  }
  let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  guard descriptor >= 0 else { return }
  let socket = OwnedDescriptor(descriptor)
  let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + bytes.count)
  let message = Array("READY=1\n".utf8)
  withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
      _ = sendto(socket.number, message, message.count, Int32(MSG_NOSIGNAL), address, length)
    }
  }
}
