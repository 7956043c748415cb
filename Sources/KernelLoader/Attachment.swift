import CLibbpf
import Glibc
import Support

/// Makes one attachment of one program; its errors name the target, the caller adds the program.
struct Attachment {
  let program: BPFProgram
  let spec: AttachSpec
  let pid: Int32?

  /// What the kernel now holds for it.
  func parts() throws(MoontraceError) -> [Link.Part] {
    switch spec {
    case .tracepoint(let category, let name): [try tracepoint(category, name)]
    case .rawTracepoint(let name): [try rawTracepoint(name)]
    case .typedTracepoint: [try libbpf { bpf_program__attach_trace(program.pointer) }]
    case .kernelFunction: [try kernelFunction()]
    case .kernelProbe(let function, let offset, let isReturn): [try kernelProbe(function, offset, isReturn)]
    case .systemCall(let name, let isReturn): [try systemCall(name, isReturn)]
    case .userProbe(let binary, let location, let isReturn): [try userProbe(binary, location, isReturn)]
    case .usdt(let binary, let provider, let name): [try usdt(binary, provider, name)]
    case .profile, .software, .hardware, .perfEvent, .interval: try perfEvents()
    case .iterator: [try iterator()]
    case .xdp(let interface, let mode): [try xdp(interface, mode)]
    case .trafficControl(let interface, let direction, let queue): [try trafficControl(interface, direction, queue)]
    case .netfilter(let hook): [try netfilter(hook)]
    case .cgroup(let path): [try cgroup(path)]
    case .networkNamespace(let path): [try directory(path) { bpf_program__attach_netns(program.pointer, $0) }]
    case .socket(let target): [try socket(target)]
    case .socketMap(let map): [try socketMap(map)]
    }
  }

  /// Runs a libbpf attach call; failures that no caller explains name the target and the system's reason.
  func libbpf(
    explain: (KernelFailure) throws(MoontraceError) -> MoontraceError? = { _ in nil }, _ body: () -> OpaquePointer?
  ) throws(MoontraceError) -> Link.Part {
    do throws(KernelFailure) {
      return .libbpf(try checkLibbpf(body))
    } catch {
      throw try explain(error) ?? failure(error)
    }
  }

  func failure(_ failure: KernelFailure) -> MoontraceError {
    failure.error("can't attach to \(spec)")
  }

  /// The error for a kernel that lacks what the attachment needs.
  static func missing(_ feature: KernelFeature) -> MoontraceError {
    MoontraceError(
      .unsupported, "this kernel has no \(feature.name): \(feature.reason ?? "unknown reason")",
      remedy: feature.remedy)
  }

  /// Throws `.unsupported` when this kernel has no probes of the SPEC's kind at all.
  static func checkKind(of spec: AttachSpec) throws(MoontraceError) {
    let feature: KernelFeature? =
      switch spec {
      case .kernelProbe, .systemCall: KernelFeatures.kprobes
      case .kernelFunction: KernelFeatures.fentry
      case .userProbe, .usdt: KernelFeatures.uprobes
      case .hardware: KernelFeatures.hardwareCounters
      case .perfEvent(let event, _):
        event.isHardware && !event.countsCycles ? KernelFeatures.hardwareCounters : nil
      case .iterator: KernelFeatures.iterators
      default: nil
      }
    if let feature, !feature.isAvailable { throw missing(feature) }
  }

  func require(_ feature: KernelFeature) throws(MoontraceError) {
    if !feature.isAvailable { throw Self.missing(feature) }
  }
}
