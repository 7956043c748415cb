import CLibbpf
import Support

/// Which SPECs a program of some type can be attached to.
struct ProgramFit {
  let program: BPFProgram

  /// Throws `.usage` when a program of this type can't go there.
  func check(_ spec: AttachSpec) throws(MoontraceError) {
    if fits(spec) { return }
    throw MoontraceError(
      .usage, "a program in section '\(program.section)' (\(program.type)) can't be attached to \(spec)",
      remedy: example.map { "attach it to \($0)" })
  }

  private func fits(_ spec: AttachSpec) -> Bool {
    let type = program.type
    switch spec {
    case .tracepoint: return type == .tracepoint
    case .rawTracepoint: return type == .rawTracepoint || type == .rawTracepointWritable
    case .typedTracepoint, .kernelFunction, .iterator: return type == .tracing && tracingKind == expectedKind(spec)
    case .kernelProbe, .systemCall, .userProbe, .usdt: return type == .kprobe
    case .profile, .interval, .software, .hardware, .perfEvent: return type == .perfEvent
    case .xdp: return type == .xdp && !program.runsInMaps
    case .trafficControl: return type == .trafficControl
    case .netfilter: return type == .netfilter
    case .cgroup: return ProgramFit.cgroupTypes.contains(type) || program.isForCgroups
    case .socket: return type == .socketFilter || type == .socketReuse
    case .networkNamespace: return ProgramFit.namespaceTypes.contains(type)
    case .socketMap: return ProgramFit.socketMapTypes.contains(type)
    }
  }

  private var tracingKind: bpf_attach_type { bpf_program__expected_attach_type(program.pointer) }

  private func expectedKind(_ spec: AttachSpec) -> bpf_attach_type {
    switch spec {
    case .kernelFunction(_, isReturn: true): BPF_TRACE_FEXIT
    case .kernelFunction: BPF_TRACE_FENTRY
    case .iterator: BPF_TRACE_ITER
    default: BPF_TRACE_RAW_TP
    }
  }

  /// A SPEC that would fit.
  var example: String? {
    switch program.type {
    case .tracepoint: "tracepoint:CATEGORY:EVENT"
    case .rawTracepoint, .rawTracepointWritable: "rawtracepoint:EVENT"
    case .kprobe: kprobeExample
    case .perfEvent: "profile:99"
    case .xdp where program.runsInMaps: nil
    case .xdp: "xdp:INTERFACE"
    case .trafficControl: "tc:INTERFACE:ingress"
    case .netfilter: "netfilter:ipv4:HOOK"
    case .lsm where program.isForCgroups: "cgroup:PATH"
    case .socketFilter: "socket:INTERFACE"
    case .socketReuse: "socket:PID:FD"
    case .tracing: program.section.split(separator: "/").first.map { "\($0):NAME" }
    case let type where ProgramFit.cgroupTypes.contains(type): "cgroup:PATH"
    case let type where ProgramFit.namespaceTypes.contains(type): "netns"
    case let type where ProgramFit.socketMapTypes.contains(type): "sockmap:MAP"
    default: nil
    }
  }

  /// uprobes, kprobes and USDT probes are one program type: the section tells them apart.
  private var kprobeExample: String {
    if program.section.hasPrefix("uretprobe") { return "uretprobe:BINARY:SYMBOL" }
    if program.section.hasPrefix("u") {
      return program.section.hasPrefix("usdt") ? "usdt:BINARY:PROVIDER:NAME" : "uprobe:BINARY:SYMBOL"
    }
    return program.section.hasPrefix("kret") ? "kretprobe:FUNCTION" : "kprobe:FUNCTION"
  }

  private static let cgroupTypes = Set(
    [
      BPF_PROG_TYPE_CGROUP_SKB, BPF_PROG_TYPE_CGROUP_SOCK, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_PROG_TYPE_CGROUP_DEVICE,
      BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_PROG_TYPE_SOCK_OPS,
    ].map(ProgramType.init))
  private static let namespaceTypes = Set(
    [BPF_PROG_TYPE_SK_LOOKUP, BPF_PROG_TYPE_FLOW_DISSECTOR].map(ProgramType.init))
  private static let socketMapTypes = Set([BPF_PROG_TYPE_SK_SKB, BPF_PROG_TYPE_SK_MSG].map(ProgramType.init))
}
