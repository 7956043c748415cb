import Glibc
import Support

/// How a small question to the kernel was answered.
struct Probe {
  /// 0 or more for yes; a negative errno.
  let result: Int32
  /// What numbers say about this question.
  let meaning: [Int32: String]

  private var isForbidden: Bool { result == -EPERM || result == -EACCES }

  /// Why not; nil for yes.
  var reason: String? {
    if result >= 0 { return nil }
    if !isForbidden { return meaning[-result] ?? errnoText(-result) }
    let lacking = ProcessCapability.lacking()
    if !lacking.isEmpty { return "not permitted, with \(ProcessCapability.list(lacking)) missing" }
    return KernelFeatures.lockdown.map { "the kernel forbids it (lockdown=\($0))" } ?? "the kernel forbids it"
  }

  /// What to do: about what forbids it, or else what the caller knows to help.
  func remedy(otherwise remedy: String) -> String {
    if !isForbidden { return remedy }
    if !ProcessCapability.lacking().isEmpty { return "run as root" }
    return KernelFeatures.lockdown == nil ? remedy : "boot with lockdown=none, or \(remedy)"
  }
}

extension KernelFeature {
  init(_ name: String, _ probe: Probe, remedy: String) {
    self.init(name, missing: probe.reason, remedy: probe.remedy(otherwise: remedy))
  }
}
