/// Something that a kernel can or can't do for tracing.
///
/// ```swift
/// if !KernelFeatures.kprobes.isAvailable { print(KernelFeatures.kprobes.reason ?? "") }
/// ```
public struct KernelFeature: Equatable, Sendable {
  /// What it is: `kprobes`.
  public let name: String
  /// Why it can't be used here: `CONFIG_KPROBES is off`; nil when it can.
  public let reason: String?
  /// What to use instead, when there is something.
  public let alternative: String?

  public var isAvailable: Bool { reason == nil }

  init(_ name: String, missing reason: String?, alternative: String? = nil) {
    self.name = name
    self.reason = reason
    self.alternative = alternative
  }
}
