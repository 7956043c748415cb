import KernelLoader
import Support
import Tracing

/// The doctor's report for people: facts, then checks by group, `yes` or `no` first.
struct DoctorText {
  let report: SystemReport
  let style: TextStyle

  var text: String {
    let groups = report.groups.map { "\n\(title($0.name))\n" + lines($0.checks) }
    return facts + groups.joined() + "\n" + summary
  }

  // MARK: Facts

  private var facts: String {
    let facts = report.facts
    let rows = [
      ("kernel", "\(facts.release) \(facts.architecture)"),
      ("lockdown", facts.lockdown ?? "unknown (/sys/kernel/security can't be read)"),
      ("user", "uid \(facts.user)"),
      ("settings", settings.map { "\($0.name)=\($0.value.map(String.init) ?? "(missing)")" }.joined(separator: "  ")),
    ]
    return rows.map { pad($0.0, 10) + $0.1 + "\n" }.joined()
  }

  private var settings: [(name: String, value: Int?)] {
    let facts = report.facts
    return [
      ("net.core.bpf_jit_enable", facts.jitEnabled),
      ("kernel.unprivileged_bpf_disabled", facts.unprivilegedBPFDisabled),
      ("kernel.perf_event_paranoid", facts.perfEventParanoid), ("kernel.kptr_restrict", facts.pointerRestriction),
    ]
  }

  // MARK: Checks

  private func title(_ group: String) -> String {
    switch group {
    case "capabilities": "Capabilities of this process"
    case "files": "File systems"
    case "maps": "Maps"
    case "tracing": "Programs that watch"
    case "deciding": "Programs that decide (most need --allow kernel.write)"
    case "helpers": "Kernel functions that programs call"
    default: group.prefix(1).uppercased() + group.dropFirst()
    }
  }

  /// A remedy that several checks in a row have stands once, behind the last of them.
  private func lines(_ checks: [KernelFeature]) -> String {
    let following = checks.dropFirst().map(\.remedy) + [nil]
    return zip(checks, following).map { check, next in
      line(check) + (check.remedy == next ? "" : remedyLine(check.remedy))
    }.joined()
  }

  private func line(_ check: KernelFeature) -> String {
    let explanation = check.reason ?? check.detail ?? ""
    let name = explanation.isEmpty ? check.name : pad(check.name, nameWidth)
    return "  \(mark(check.isAvailable)) \(name)\(explanation)\n"
  }

  private func remedyLine(_ remedy: String?) -> String {
    remedy.map { "\(String(repeating: " ", count: 6 + nameWidth))> \($0)\n" } ?? ""
  }

  private func mark(_ isAvailable: Bool) -> String {
    let word = isAvailable ? "yes" : "no "
    return isAvailable ? style.good(word) : style.bad(word)
  }

  private var nameWidth: Int {
    2 + (report.groups.flatMap(\.checks).map(\.name.count).max() ?? 0)
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private var summary: String {
    let checks = report.groups.flatMap(\.checks)
    let working = checks.count { $0.isAvailable }
    let verdict = report.obstacle == nil ? "Scripts on tracepoints can run here." : "Scripts on tracepoints can't."
    return "\(working) of \(checks.count) work. \(verdict)\n"
  }
}
