import KernelLoader
import Tracing

/// The doctor's report for programs: one JSON object in one line; `DoctorCommand`'s help says what its keys mean.
enum DoctorJSON {
  static func text(_ report: SystemReport) -> String {
    let facts = report.facts
    let checks = report.groups.flatMap { group in group.checks.map { check($0, group: group.name) } }
    let fields = [
      ("release", quoted(facts.release)), ("architecture", quoted(facts.architecture)), ("uid", "\(facts.user)"),
      ("lockdown", quoted(facts.lockdown)), ("bpf_jit_enable", number(facts.jitEnabled)),
      ("unprivileged_bpf_disabled", number(facts.unprivilegedBPFDisabled)),
      ("perf_event_paranoid", number(facts.perfEventParanoid)),
      ("kptr_restrict", number(facts.pointerRestriction)), ("ready", "\(report.obstacle == nil)"),
      ("checks", "[\(checks.joined(separator: ","))]"),
    ]
    return object(fields) + "\n"
  }

  private static func check(_ check: KernelFeature, group: String) -> String {
    object([
      ("name", quoted(check.name)), ("group", quoted(group)), ("ok", "\(check.isAvailable)"),
      ("detail", quoted(check.detail)), ("reason", quoted(check.reason)), ("remedy", quoted(check.remedy)),
    ])
  }

  private static func object(_ fields: [(name: String, value: String)]) -> String {
    "{" + fields.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
  }

  private static func number(_ value: Int?) -> String {
    value.map(String.init) ?? "null"
  }

  /// A JSON string (RFC 8259): quotes, backslashes and control characters are escaped.
  private static func quoted(_ text: String?) -> String {
    guard let text else { return "null" }
    let body = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"", "\\": return "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: return String(scalar)
      }
    }
    return "\"\(body.joined())\""
  }
}
