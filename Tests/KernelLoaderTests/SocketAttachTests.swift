import CLibbpf
import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Programs on sockets of this process, proved by what is sent to them.
@Suite(.requires(.root, .clang)) struct SocketAttachTests {
  private static let source = """
    u64 runs;
    struct { __uint(type, BPF_MAP_TYPE_SOCKMAP); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 2); } peers SEC(".maps");
    SEC("sk_skb/stream_verdict") int on_data(struct __sk_buff *skb) { __sync_fetch_and_add(&runs, 1); return SK_PASS; }
    SEC("sk_reuseport") int choose(struct sk_reuseport_md *ctx) { __sync_fetch_and_add(&runs, 1); return SK_PASS; }
    """

  @Test func dataForTheSocketsOfAMap() throws {
    let object = try Workshop.open("sk_skb", Self.source)
    try object.whileLoaded {
      var pair: [Int32] = [-1, -1]
      try check("socketpair") { socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) }
      let receiver = OwnedDescriptor(pair[0])
      let sender = OwnedDescriptor(pair[1])
      let link = try #require(object.program("on_data")).attach(to: AttachSpec("sockmap:peers"))
      var (key, value) = (UInt32(0), receiver.number)
      let map = try #require(object.map("peers")).descriptor
      try #require(bpf_map_update_elem(map, &key, &value, 0) == 0)
      var byte: UInt8 = 7
      #expect(write(sender.number, &byte, 1) == 1 && read(receiver.number, &byte, 1) == 1)
      #expect(try object.value("runs", as: UInt64.self) == 1)
      link.detach()
    }
  }

  /// A UDP socket that shares its port, and the port's number.
  private func sharedPort() throws -> (socket: Int32, address: sockaddr_in) {
    let number = try check("socket") { socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
    var (one, address, length) = (Int32(1), sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    try check("share a port") { setsockopt(number, SOL_SOCKET, SO_REUSEPORT, &one, 4) }
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    try withUnsafeMutableBytes(of: &address) { bytes in
      let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      try check("bind") { bind(number, pointer, length) }
      try check("ask for the port") { getsockname(number, pointer, &length) }
    }
    return (number, address)
  }

  private func send(to address: sockaddr_in) throws {
    let sender = OwnedDescriptor(try check("socket") { socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) })
    let sent = withUnsafeBytes(of: address) { bytes in
      sendto(
        sender.number, "x", 1, 0, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
    #expect(sent == 1)
  }

  /// By the socket's number here, and as that of another process.
  @Test(arguments: ["", "\(getpid()):"]) func socketsThatShareAPort(process: String) throws {
    let object = try Workshop.open("sk_reuseport_\(process.count)", Self.source)
    try object.whileLoaded {
      let (number, address) = try sharedPort()
      let receiver = OwnedDescriptor(number)
      let link = try #require(object.program("choose")).attach(to: AttachSpec("socket:\(process)\(receiver.number)"))
      try send(to: address)
      #expect(try object.value("runs", as: UInt64.self) == 1)
      link.detach()
      try send(to: address)
      #expect(try object.value("runs", as: UInt64.self) == 1)
      let absent = try failure {
        _ = try #require(object.program("choose")).attach(to: AttachSpec("socket:\(getpid()):998"))
      }
      #expect(absent.code == .usage && absent.message.contains("has no descriptor 998"))
    }
  }
}
