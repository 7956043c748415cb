import KernelLoader
import Support

/// What `moontrace doctor` reports: the system's facts, what works here and what does not, and whether that is enough.
public struct SystemReport: Sendable {
  public let facts: SystemFacts
  public let groups: [SystemCheck.Group]
  /// Why not even a Lua script on a tracepoint can run; nil when it can. `.notPermitted` when this user may not,
  /// `.unsupported` when the kernel can't.
  public let obstacle: MoontraceError?

  /// Makes the report, which takes some tenths of a second and never fails.
  public static func make() -> SystemReport {
    let parts = concurrently([Part.kernel, .compiler]) { $0.groups() }
    let groups = parts.flatMap(\.self)
    return SystemReport(facts: .read(), groups: groups, obstacle: obstacle(groups.flatMap(\.checks)))
  }

  private enum Part {
    case kernel
    case compiler

    func groups() -> [SystemCheck.Group] {
      switch self {
      case .kernel: SystemCheck.run()
      case .compiler: [SystemCheck.Group(name: "tools", checks: [SystemReport.clang()])]
      }
    }
  }

  private static func clang() -> KernelFeature {
    do throws(MoontraceError) {
      return KernelFeature("clang", missing: nil, detail: try ClangTool.find().path)
    } catch {
      return KernelFeature(
        "clang", missing: "\(error.message); only programs in C need it", remedy: error.remedy)
    }
  }

  /// What a script on a tracepoint takes: the tracepoint, and a buffer for its events.
  private static func obstacle(_ checks: [KernelFeature]) -> MoontraceError? {
    let needed = checks.filter { ["tracepoint", "ringbuf"].contains($0.name) }
    guard let failed = needed.first(where: { !$0.isAvailable }) else { return nil }
    let isForbidden =
      !ProcessCapability.missing().isEmpty || checks.contains { $0.name == "tracefs" && !$0.isAvailable }
    return MoontraceError(
      isForbidden ? .notPermitted : .unsupported,
      "scripts on tracepoints can't run here: \(failed.name): \(failed.reason ?? "")", remedy: failed.remedy)
  }
}
