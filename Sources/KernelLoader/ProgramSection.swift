import CLibbpf

/// Section names that libbpf 1.1 does not know but newer sources use.
enum ProgramSection {
  /// Gives a program in such a section its type; libbpf has set all others.
  static func setType(of program: OpaquePointer, section: String) {
    guard bpf_program__type(program) == BPF_PROG_TYPE_UNSPEC else { return }
    switch section {
    case "tc/ingress", "tc/egress", "tcx/ingress", "tcx/egress":
      bpf_program__set_type(program, BPF_PROG_TYPE_SCHED_CLS)
    case "netfilter":
      bpf_program__set_type(program, bpf_prog_type(rawValue: ProgramType.netfilter.rawValue))
      bpf_program__set_expected_attach_type(program, bpf_attach_type(rawValue: netfilter))
    case _ where unixSockets[section] != nil:
      bpf_program__set_type(program, BPF_PROG_TYPE_CGROUP_SOCK_ADDR)
      bpf_program__set_expected_attach_type(program, bpf_attach_type(rawValue: unixSockets[section] ?? 0))
    default:
      let kind = section.prefix { $0 != "/" }
      guard kind == "usdt.s" || kind.hasPrefix("uprobe.multi") || kind.hasPrefix("uretprobe.multi") else { return }
      bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE)
      if kind.hasSuffix(".s") { bpf_program__set_flags(program, sleepable) }
    }
  }

  /// `BPF_F_SLEEPABLE` (linux/bpf.h).
  private static let sleepable: UInt32 = 1 << 4

  // Numbers of `enum bpf_attach_type` (linux/bpf.h of 6.7).
  private static let netfilter: UInt32 = 45
  private static let unixSockets: [String: UInt32] = [
    "cgroup/connect_unix": 49, "cgroup/sendmsg_unix": 50, "cgroup/recvmsg_unix": 51, "cgroup/getpeername_unix": 52,
    "cgroup/getsockname_unix": 53,
  ]
}
