import Support

/// The capabilities(7) that tracing needs, some of it at least, and that a thread has or lacks.
///
/// Source: `CapEff` in /proc/thread-self/status; bit numbers from linux/capability.h.
public enum ProcessCapability: Int, CaseIterable, Sendable, CustomStringConvertible {
  case bpf = 39
  case performanceMonitoring = 38
  case systemAdministration = 21
  case networkAdministration = 12
  case processTracing = 19
  case kernelLog = 34
  case resources = 24

  public var description: String {
    switch self {
    case .bpf: "CAP_BPF"
    case .performanceMonitoring: "CAP_PERFMON"
    case .systemAdministration: "CAP_SYS_ADMIN"
    case .networkAdministration: "CAP_NET_ADMIN"
    case .processTracing: "CAP_SYS_PTRACE"
    case .kernelLog: "CAP_SYSLOG"
    case .resources: "CAP_SYS_RESOURCE"
    }
  }

  /// What can't be done without it, one clause.
  public var purpose: String {
    switch self {
    case .bpf: "loads programs and maps"
    case .performanceMonitoring: "attaches programs that trace, and lets them read memory"
    case .systemAdministration: "attaches uprobes, mounts tracefs, measures programs (--stats); all of BPF before 5.8"
    case .networkAdministration: "attaches xdp, tc and cgroup programs"
    case .processTracing: "names addresses (usym, ustack) in other users' processes"
    case .kernelLog: "names kernel addresses (ksym, kstack) when kernel.kptr_restrict is 1"
    case .resources: "makes room for maps on kernels before 5.11; newer ones do without"
    }
  }

  /// Whether a process with these capabilities can do what this one is for: CAP_SYS_ADMIN contains CAP_BPF and
  /// CAP_PERFMON.
  public func isCovered(by held: Set<ProcessCapability>) -> Bool {
    held.contains(self) || [.bpf, .performanceMonitoring].contains(self) && held.contains(.systemAdministration)
  }

  /// The capabilities among `allCases` that this thread has now; empty when /proc can't be read.
  public static func effective() -> Set<ProcessCapability> {
    guard let status = try? readFile("/proc/thread-self/status") else { return [] }
    return parse(status: String(decoding: status, as: UTF8.self))
  }

  /// What tracing needs at least and this thread lacks.
  public static func missing() -> [ProcessCapability] {
    let held = effective()
    return [.bpf, .performanceMonitoring].filter { !$0.isCovered(by: held) }
  }

  /// What this thread lacks and a refusal can be about: what `missing` says, or when that is nothing, what some kinds of
  /// programs need besides.
  static func lacking() -> [ProcessCapability] {
    let missing = missing()
    if !missing.isEmpty { return missing }
    return [.systemAdministration, .networkAdministration].filter { !effective().contains($0) }
  }

  /// `CAP_BPF and CAP_PERFMON`
  static func list(_ capabilities: [ProcessCapability]) -> String {
    capabilities.map(\.description).joined(separator: " and ")
  }

  static func parse(status: String) -> Set<ProcessCapability> {
    let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    let text = line?.split(whereSeparator: { $0 == "\t" || $0 == " " }).last ?? ""
    let bits = UInt64(text, radix: 16) ?? 0
    return Set(allCases.filter { bits >> UInt64($0.rawValue) & 1 == 1 })
  }
}
