import KernelLoader
import Tracing

/// The doctor's report for programs: one JSON object in one line; `DoctorCommand`'s help says what its keys mean.
enum DoctorJSON {
  static func text(_ report: SystemReport) -> String {
    let facts = report.facts
    let checks = report.groups.flatMap { group in group.checks.map { check($0, group: group.name) } }
    let fields = [
      ("release", JSONText.quoted(facts.release)), ("architecture", JSONText.quoted(facts.architecture)),
      ("uid", "\(facts.user)"),
      ("lockdown", JSONText.quoted(facts.lockdown)), ("bpf_jit_enable", number(facts.jitEnabled)),
      ("unprivileged_bpf_disabled", number(facts.unprivilegedBPFDisabled)),
      ("perf_event_paranoid", number(facts.perfEventParanoid)),
      ("kptr_restrict", number(facts.pointerRestriction)), ("ready", "\(report.obstacle == nil)"),
      ("checks", JSONText.list(checks)),
    ]
    return JSONText.object(fields) + "\n"
  }

  private static func check(_ check: KernelFeature, group: String) -> String {
    JSONText.object([
      ("name", JSONText.quoted(check.name)), ("group", JSONText.quoted(group)), ("ok", "\(check.isAvailable)"),
      ("detail", JSONText.quoted(check.detail)), ("reason", JSONText.quoted(check.reason)),
      ("remedy", JSONText.quoted(check.remedy)),
    ])
  }

  private static func number(_ value: Int?) -> String {
    value.map(String.init) ?? "null"
  }
}
