import CLibbpf

/// What the kernel has to know of a program before it loads it.
struct ProbeKind {
  let type: bpf_prog_type
  let attachType: bpf_attach_type
  /// What a C program's section would be called.
  let section: String

  /// nil for SPECs that are not for probes, such as `xdp`.
  init?(of probe: ProbeProgram) {
    guard let target = probe.targets.first else { return nil }
    switch target {
    case .tracepoint: self.init(BPF_PROG_TYPE_TRACEPOINT, section: "tracepoint")
    case .rawTracepoint: self.init(BPF_PROG_TYPE_RAW_TRACEPOINT, section: "raw_tracepoint")
    case .typedTracepoint: self.init(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, section: "tp_btf")
    case .kernelProbe(_, _, let isReturn):
      let multiple = probe.isMultiple
      let section = (isReturn ? "kretprobe" : "kprobe") + (multiple ? ".multi" : "")
      self.init(BPF_PROG_TYPE_KPROBE, multiple ? BPF_TRACE_KPROBE_MULTI : Self.none, section: section)
    case .systemCall(_, let isReturn):
      self.init(BPF_PROG_TYPE_KPROBE, section: isReturn ? "kretsyscall" : "ksyscall")
    case .kernelFunction(_, isReturn: true): self.init(BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, section: "fexit")
    case .kernelFunction: self.init(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, section: "fentry")
    case .userProbe(_, .probe, _): self.init(BPF_PROG_TYPE_KPROBE, section: "usdt")
    case .userProbe(_, _, let isReturn): self.init(BPF_PROG_TYPE_KPROBE, section: isReturn ? "uretprobe" : "uprobe")
    case .profile, .interval, .software, .hardware, .perfEvent:
      self.init(BPF_PROG_TYPE_PERF_EVENT, section: "perf_event")
    case .iterator: self.init(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, section: "iter")
    // Its places are probed, each with `UserLocation.probe`.
    case .usdt: return nil
    case .xdp, .trafficControl, .netfilter, .cgroup, .socket, .networkNamespace, .socketMap: return nil
    }
  }

  private init(_ type: bpf_prog_type, _ attachType: bpf_attach_type = none, section: String) {
    self.type = type
    self.attachType = attachType
    self.section = section
  }

  private static let none = bpf_attach_type(rawValue: 0)
}
