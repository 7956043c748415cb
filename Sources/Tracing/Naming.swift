import Glibc
import KernelLoader
import Support

/// strftime(3) in local time; `nanoseconds` of the kernel's monotonic clock (what `bpf_ktime_get_ns` gives), or now.
func formatTime(_ format: String, nanoseconds: UInt64?) -> String {
  var time = clock(CLOCK_REALTIME)
  if let nanoseconds {
    time = time &- clock(CLOCK_MONOTONIC) &+ nanoseconds
  }
  var seconds = time_t(time / 1_000_000_000)
  var parts = tm()
  localtime_r(&seconds, &parts)
  // %f is ours, as in bpftrace: the microseconds.
  let micros = String(time % 1_000_000_000 / 1000)
  let padded = String(repeating: "0", count: 6 - micros.utf8.count) + micros
  let pattern = format.split(separator: "%f", omittingEmptySubsequences: false).joined(separator: padded)
  var buffer = [CChar](repeating: 0, count: 64 + 8 * pattern.utf8.count)
  let count = strftime(&buffer, buffer.count, pattern, &parts)
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func clock(_ id: clockid_t) -> UInt64 {
  var time = timespec()
  clock_gettime(id, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// The text of an IPv4 (4 bytes) or IPv6 (16 bytes) address in network byte order; nil for other lengths.
func addressText(_ bytes: [UInt8]) -> String? {
  let family: Int32
  switch bytes.count {
  case 4: family = AF_INET
  case 16: family = AF_INET6
  default: return nil
  }
  var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
  guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return nil }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

extension KernelSymbols {
  /// The name of the function at an address; without one, the address.
  func name(of address: UInt64) -> String {
    symbol(at: address)?.name ?? hexadecimal(address)
  }

  /// The function and the place in it.
  func place(of address: UInt64) -> String {
    symbol(at: address)?.description ?? hexadecimal(address)
  }
}

extension UserSymbols {
  /// The name of the function at an address; without one the file and the place in it, and without a file the address.
  func name(of address: UInt64, process: Int32) -> String {
    symbol(at: address, process: process)?.name ?? file(at: address, process: process)
  }

  /// The function and the place in it, or what is known instead.
  func frame(at address: UInt64, process: Int32) -> String {
    symbol(at: address, process: process)?.description ?? file(at: address, process: process)
  }

  private func file(at address: UInt64, process: Int32) -> String {
    guard let place = place(of: address, process: process) else { return hexadecimal(address) }
    let file = place.path.split(separator: "/").last.map(String.init) ?? place.path
    return "\(file)+\(hexadecimal(place.fileOffset))"
  }
}

private func hexadecimal(_ address: UInt64) -> String { "0x" + String(address, radix: 16) }
