/// Something that this kernel, or this process on it, can or can't do for tracing.
///
/// ```swift
/// if !KernelFeatures.kprobes.isAvailable { print(KernelFeatures.kprobes.reason ?? "") }
/// ```
public struct KernelFeature: Equatable, Sendable {
  /// What it is: `kprobes`.
  public let name: String
  /// What was found when it can be used, where there is more to say than that: `/sys/kernel/btf/vmlinux`.
  public let detail: String?
  /// Why it can't be used here: `CONFIG_KPROBES is off`; nil when it can.
  public let reason: String?
  /// What to do about it, or what to use instead, when there is something.
  public let remedy: String?

  public var isAvailable: Bool { reason == nil }

  /// `remedy` and `detail` are kept only where they apply: with and without a reason.
  public init(_ name: String, missing reason: String?, remedy: String? = nil, detail: String? = nil) {
    self.name = name
    self.reason = reason
    self.remedy = reason == nil ? nil : remedy
    self.detail = reason == nil ? detail : nil
  }
}
