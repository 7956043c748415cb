import CLibbpf

/// Section names that libbpf 1.1 does not know but newer sources use.
enum ProgramSection {
  /// Gives a program in such a section its type; libbpf has set all others.
  static func setType(of program: OpaquePointer, section: String) {
    guard bpf_program__type(program) == BPF_PROG_TYPE_UNSPEC else { return }
    switch section {
    case "tc/ingress", "tc/egress", "tcx/ingress", "tcx/egress":
      bpf_program__set_type(program, BPF_PROG_TYPE_SCHED_CLS)
    default:
      if section.hasPrefix("usdt.s") || section.hasPrefix("uprobe.multi") || section.hasPrefix("uretprobe.multi") {
        bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE)
      }
    }
  }
}
