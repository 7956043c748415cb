import Support

/// The capabilities(7) that BPF needs and that a thread has or lacks.
///
/// Source: `CapEff` in /proc/thread-self/status; bit numbers from linux/capability.h.
public enum ProcessCapability: Int, CaseIterable, Sendable, CustomStringConvertible {
  case networkAdministration = 12
  case systemAdministration = 21
  case performanceMonitoring = 38
  case bpf = 39

  public var description: String {
    switch self {
    case .networkAdministration: "CAP_NET_ADMIN"
    case .systemAdministration: "CAP_SYS_ADMIN"
    case .performanceMonitoring: "CAP_PERFMON"
    case .bpf: "CAP_BPF"
    }
  }

  /// The capabilities among `allCases` that this thread has now; empty when /proc can't be read.
  public static func effective() -> Set<ProcessCapability> {
    guard let status = try? readFile("/proc/thread-self/status") else { return [] }
    return parse(status: String(decoding: status, as: UTF8.self))
  }

  /// What tracing needs and this thread lacks. CAP_SYS_ADMIN contains the others but networking's.
  public static func missing() -> [ProcessCapability] {
    let held = effective()
    if held.contains(.systemAdministration) { return [] }
    return [.bpf, .performanceMonitoring].filter { !held.contains($0) }
  }

  static func parse(status: String) -> Set<ProcessCapability> {
    let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    let text = line?.split(whereSeparator: { $0 == "\t" || $0 == " " }).last ?? ""
    let bits = UInt64(text, radix: 16) ?? 0
    return Set(allCases.filter { bits >> UInt64($0.rawValue) & 1 == 1 })
  }
}
