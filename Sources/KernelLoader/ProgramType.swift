import CLibbpf

/// A kernel program type by its number (`enum bpf_prog_type` in linux/bpf.h).
public struct ProgramType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32

  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  init(_ type: bpf_prog_type) {
    self.init(rawValue: type.rawValue)
  }

  public static let unspecified = ProgramType(BPF_PROG_TYPE_UNSPEC)
  public static let socketFilter = ProgramType(BPF_PROG_TYPE_SOCKET_FILTER)
  public static let kprobe = ProgramType(BPF_PROG_TYPE_KPROBE)
  public static let trafficControl = ProgramType(BPF_PROG_TYPE_SCHED_CLS)
  public static let tracepoint = ProgramType(BPF_PROG_TYPE_TRACEPOINT)
  public static let xdp = ProgramType(BPF_PROG_TYPE_XDP)
  public static let perfEvent = ProgramType(BPF_PROG_TYPE_PERF_EVENT)
  public static let rawTracepoint = ProgramType(BPF_PROG_TYPE_RAW_TRACEPOINT)
  public static let tracing = ProgramType(BPF_PROG_TYPE_TRACING)
  public static let socketReuse = ProgramType(BPF_PROG_TYPE_SK_REUSEPORT)
  public static let lsm = ProgramType(BPF_PROG_TYPE_LSM)
  public static let structOps = ProgramType(BPF_PROG_TYPE_STRUCT_OPS)
  /// Linux 6.4, newer than the header.
  public static let netfilter = ProgramType(rawValue: 32)
  public static let rawTracepointWritable = ProgramType(BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE)

  /// libbpf's name for it (`raw_tracepoint`, `sched_cls`), or `type N`.
  public var description: String {
    if self == .netfilter { return "netfilter" }
    return libbpf_bpf_prog_type_str(bpf_prog_type(rawValue: rawValue)).map { String(cString: $0) } ?? "type \(rawValue)"
  }

  /// Whether attaching a program of this type takes the kernel's own types, not only those of a file.
  var isAttachedByTypes: Bool {
    switch bpf_prog_type(rawValue: rawValue) {
    case BPF_PROG_TYPE_TRACING, BPF_PROG_TYPE_LSM, BPF_PROG_TYPE_STRUCT_OPS, BPF_PROG_TYPE_EXT: true
    default: false
    }
  }

  /// Why attaching a program of this type changes what the system does; nil for types that only watch.
  var kernelWrite: String? {
    switch bpf_prog_type(rawValue: rawValue) {
    case BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_CGROUP_SKB,
      BPF_PROG_TYPE_SK_SKB, BPF_PROG_TYPE_SK_MSG, BPF_PROG_TYPE_SK_LOOKUP, BPF_PROG_TYPE_SK_REUSEPORT,
      BPF_PROG_TYPE_LWT_IN, BPF_PROG_TYPE_LWT_OUT, BPF_PROG_TYPE_LWT_XMIT, BPF_PROG_TYPE_LWT_SEG6LOCAL,
      BPF_PROG_TYPE_FLOW_DISSECTOR, bpf_prog_type(rawValue: Self.netfilter.rawValue):
      "decides what happens to packets (\(self) program)"
    case BPF_PROG_TYPE_CGROUP_SOCK, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_PROG_TYPE_CGROUP_DEVICE,
      BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_PROG_TYPE_SOCK_OPS:
      "decides what the processes of a cgroup may do (\(self) program)"
    case BPF_PROG_TYPE_LSM: "decides what is permitted (lsm program)"
    case BPF_PROG_TYPE_STRUCT_OPS, BPF_PROG_TYPE_EXT: "replaces functions (\(self) program)"
    case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE: "changes the arguments of tracepoints"
    default: nil
    }
  }
}
