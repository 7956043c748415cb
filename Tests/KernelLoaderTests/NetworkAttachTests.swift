import CLibbpf
import Glibc
import KernelTestSupport
import Support
import Testing

@testable import KernelLoader

@_silgen_name("unshare") private func unshareNamespaces(_ flags: Int32) -> Int32
@_silgen_name("setns") private func enterNamespace(_ descriptor: Int32, _ type: Int32) -> Int32

/// Attachments to interfaces, cgroups and sockets, in network namespaces of the tests' own.
@Suite(.requires(.root, .clang)) struct NetworkAttachTests {
  private static let newNetwork: Int32 = 0x4000_0000  // CLONE_NEWNET

  /// Runs the body on this thread inside a new network namespace with a pair of connected interfaces, mt0 and mt1.
  private func inNamespace(_ body: () throws -> Void) throws {
    let home = OwnedDescriptor(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC))
    try #require(unshareNamespaces(Self.newNetwork) == 0)
    defer { #expect(enterNamespace(home.number, Self.newNetwork) == 0) }
    try Workshop.shell(
      "ip link add mt0 type veth peer name mt1 && ip link set mt0 up && ip link set mt1 up && ip link set lo up")
    try body()
  }

  /// Sends one frame with a protocol that only the tests use out of mt0; it arrives at mt1.
  private func sendFrame() throws {
    let socket = OwnedDescriptor(socket(AF_PACKET, Int32(SOCK_RAW.rawValue), 0))
    try #require(socket.number >= 0)
    var address = sockaddr_ll()
    address.sll_family = UInt16(AF_PACKET)
    address.sll_ifindex = Int32(if_nametoindex("mt0"))
    address.sll_halen = 6
    let frame = [UInt8](repeating: 0xff, count: 12) + [0x88, 0xb5] + [UInt8](repeating: 7, count: 60)
    let sent = withUnsafeBytes(of: &address) { address in
      sendto(
        socket.number, frame, frame.count, 0, address.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(address.count))
    }
    #expect(sent == frame.count)
  }

  static let source = """
    u64 frames, packets;
    static __always_inline int count(u32 protocol) { if (protocol == 0xb588) __sync_fetch_and_add(&frames, 1); return 0; }
    SEC("xdp") int on_frame(struct xdp_md *ctx) {
      void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
      if (data + 14 <= end) count(*(unsigned short *)(data + 12));
      return XDP_PASS;
    }
    SEC("tc") int on_packet(struct __sk_buff *skb) { count(skb->protocol); return -1; }
    SEC("tcx/egress") int newer(struct __sk_buff *skb) { count(skb->protocol); return -1; }
    SEC("socket") int on_socket(struct __sk_buff *skb) { count(skb->protocol); return 0; }
    SEC("cgroup_skb/egress") int on_cgroup(struct __sk_buff *skb) { __sync_fetch_and_add(&packets, 1); return 1; }
    SEC("flow_dissector") int on_flow(void *ctx) { return 0; }
    SEC("sk_lookup") int on_lookup(void *ctx) { return 1; }
    struct { __uint(type, BPF_MAP_TYPE_SOCKMAP); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 2); } peers SEC(".maps");
    SEC("sk_msg") int on_message(void *ctx) { return 1; }
    """

  private func frames(_ object: BPFObject) -> UInt64 { (try? object.value("frames")) ?? 0 }

  @Test(arguments: [
    ("on_frame", "xdp:mt1"), ("on_frame", "xdp:mt1:skb"), ("on_frame", "xdp:mt1:drv"),
    ("on_packet", "tc:mt1:ingress"), ("on_packet", "tc:mt0:egress"), ("on_packet", "tc:mt0:egress:3:7"),
    ("newer", "tc:mt0:egress"),
    ("on_socket", "socket:mt1"), ("on_socket", "socket"),
  ])
  func framesAreSeen(program: String, spec: String) throws {
    let object = try Workshop.open("net_\(program)_\(spec.filter(\.isLetter))", Self.source)
    try inNamespace {
      try object.whileLoaded {
        let link = try #require(object.program(program)).attach(to: AttachSpec(spec))
        // What is sent before the interfaces have noticed that they are up goes nowhere.
        #expect(
          Kernel.waitUntil {
            try? sendFrame()
            return frames(object) > 0
          })
        link.detach()
        let seen = frames(object)
        try sendFrame()
        #expect(frames(object) == seen)
      }
    }
  }

  /// What kernels without tcx links get.
  @Test func filtersOfTheOlderInterface() throws {
    let object = try Workshop.open("net_filter", Self.source)
    try inNamespace {
      try object.whileLoaded {
        let program = try #require(object.program("on_packet"))
        let index = Int32(if_nametoindex("mt0"))
        let filter = try TrafficFilter(program: program.descriptor, .init(interface: index, direction: .egress))
        let link = Link(program: program, target: "tc:mt0:egress", parts: [.filter(filter)])
        try Workshop.shell("tc qdisc show dev mt0 | grep clsact && tc filter show dev mt0 egress | grep on_packet")
        try sendFrame()
        #expect(Kernel.waitUntil { frames(object) == 1 })
        link.detach()
        try Workshop.shell("! tc qdisc show dev mt0 | grep clsact")
        try sendFrame()
        #expect(frames(object) == 1)
      }
    }
  }

  @Test(.requires(.tcx)) func links() throws {
    let object = try Workshop.open("net_tcx", Self.source)
    try inNamespace {
      try object.whileLoaded {
        let link = try #require(object.program("newer")).attach(to: AttachSpec("tcx:mt0:egress"))
        try sendFrame()
        #expect(Kernel.waitUntil { frames(object) == 1 })
        #expect(link.target == "tcx:mt0:egress")
        link.detach()
      }
    }
  }

  /// The numbers that tc shows are the SPEC's, and two filters can't share them.
  @Test func filtersWithNumbers() throws {
    let object = try Workshop.open("net_numbers", Self.source)
    try inNamespace {
      try object.whileLoaded {
        let program = try #require(object.program("on_packet"))
        let link = try program.attach(to: AttachSpec("tc:mt0:egress:3:7"))
        try Workshop.shell("tc filter show dev mt0 egress | grep 'pref 3 .* handle 0x7 .*on_packet'")
        let error = try failure { _ = try program.attach(to: AttachSpec("tc:mt0:egress:3:7")) }
        #expect(error.code == .unsupported && error.message.contains("of this priority and handle is on interface"))
        link.detach()
        try Workshop.shell("! tc filter show dev mt0 egress | grep on_packet")
      }
    }
  }

  @Test func driversThatCanNot() throws {
    let object = try Workshop.open("net_driver", Self.source)
    try inNamespace {
      try object.whileLoaded {
        let program = try #require(object.program("on_frame"))
        let error = try failure { _ = try program.attach(to: AttachSpec("xdp:lo:drv")) }
        #expect(error.code == .unsupported && error.remedy == "xdp:lo:skb runs them in the network stack")
      }
    }
  }

  @Test(.requires(.netfilter)) func netfilterHooks() throws {
    let source = """
      u64 packets;
      SEC("netfilter") int on_packet(void *ctx) { __sync_fetch_and_add(&packets, 1); return 1; }
      """
    let object = try Workshop.open("net_filter_hook", source)
    try inNamespace {
      try object.whileLoaded {
        let program = try #require(object.program("on_packet"))
        let spec = try AttachSpec("netfilter:ipv4:local_out:-100")
        let link = try program.attach(to: spec)
        let taken = try failure { _ = try program.attach(to: spec) }
        #expect(
          taken.code == .unsupported && taken.message.contains("another program is at netfilter:ipv4:local_out:-100"))
        try Workshop.shell("bash -c 'echo hello > /dev/udp/127.0.0.1/9'")
        let seen = try object.value("packets", as: UInt64.self)
        #expect(seen > 0)
        link.detach()
        try Workshop.shell("bash -c 'echo hello > /dev/udp/127.0.0.1/9'")
        #expect(try object.value("packets", as: UInt64.self) == seen)
        let last = try failure { _ = try program.attach(to: AttachSpec("netfilter:ipv4:forward:2147483647")) }
        #expect(last.code == .usage && last.message.contains("keeps priority 2147483647"))
      }
    }
  }

  @Test func interfacesThatAreNotThere() throws {
    let object = try Workshop.open("net_errors", Self.source)
    try inNamespace {
      try object.whileLoaded {
        let program = try #require(object.program("on_frame"))
        let mistyped = try failure { _ = try program.attach(to: AttachSpec("xdp:mt")) }
        #expect(mistyped.code == .usage && mistyped.message.contains("no network interface 'mt' (did you mean 'mt"))
        let bare = try failure { _ = try program.attach() }
        #expect(bare.remedy == #"p:attach("xdp:INTERFACE")"#)
        let first = try program.attach(to: AttachSpec("xdp:mt1"))
        #expect(
          try failure { _ = try program.attach(to: AttachSpec("xdp:mt1")) }.message.contains("another XDP program"))
        first.detach()
        let socket = try #require(object.program("on_socket"))
        #expect(
          try failure { _ = try socket.attach(to: AttachSpec("socket:998")) }.message.contains("998 is no socket"))
      }
    }
  }

  @Test func ownSocketsNamespacesAndMaps() throws {
    let object = try Workshop.open("net_sockets", Self.source)
    try inNamespace {
      try object.whileLoaded {
        let plain = OwnedDescriptor(socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
        try #require(object.program("on_socket")).attach(to: AttachSpec("socket:\(plain.number)")).detach()
        let lookup = try #require(object.program("on_lookup")).attach(to: AttachSpec("netns:/proc/thread-self/ns/net"))
        #expect(lookup.isAttached)
        lookup.detach()
        let flow = try #require(object.program("on_flow")).attach(to: AttachSpec("netns:/proc/thread-self/ns/net"))
        try sendFrame()
        flow.detach()
        try #require(object.program("on_message")).attach(to: AttachSpec("sockmap:peers")).detach()
        let error = try failure { _ = try #require(object.program("on_message")).attach(to: AttachSpec("sockmap:x")) }
        #expect(error.message.contains("no map 'x'"))
      }
    }
  }

  /// Where the version 2 cgroups are mounted, by /proc/mounts: `DEVICE PLACE TYPE OPTIONS…`.
  private func hierarchy() throws -> Substring {
    let mounts = String(decoding: try readFile("/proc/mounts"), as: UTF8.self).split(separator: "\n")
    let fields = mounts.map { $0.split(separator: " ") }
    return try #require(fields.first { $0.count > 2 && $0[2] == "cgroup2" }?[1], "no cgroup2 is mounted")
  }

  @Test func cgroups() throws {
    let group = "\(try hierarchy())/moontrace-\(getpid())"
    try #require(mkdir(group, 0o755) == 0)
    defer { rmdir(group) }
    let object = try Workshop.open("net_cgroup", Self.source)
    try object.whileLoaded {
      let program = try #require(object.program("on_cgroup"))
      let link = try program.attach(to: AttachSpec("cgroup:\(group)"))
      // A child that enters the group and sends a datagram.
      try Workshop.shell(
        "bash -c 'echo $$ > \(group)/cgroup.procs && echo hello > /dev/udp/127.0.0.1/9'")
      #expect(try object.value("packets", as: UInt64.self) > 0)
      link.detach()
      #expect(try failure { _ = try program.attach(to: AttachSpec("cgroup:/no/such")) }.code == .usage)
      #expect(try failure { _ = try program.attach(to: AttachSpec("cgroup:/tmp")) }.message.contains("no directory of"))
    }
  }
}
