import CLibbpf
import Glibc
import Support

/// What kind of system this is, and how it is set up for tracing.
public struct SystemFacts: Equatable, Sendable {
  /// `6.1.0-18-amd64`
  public let release: String
  /// `x86_64`
  public let architecture: String
  /// `none`, `integrity` or `confidentiality`; nil when it can't be read (securityfs is not mounted, or the kernel has no
  /// lockdown).
  public let lockdown: String?
  /// `kernel.unprivileged_bpf_disabled`: 0 lets every user load some program types, 1 and 2 do not; nil as for the rest of
  /// the settings: the kernel does not have it.
  public let unprivilegedBPFDisabled: Int?
  /// `kernel.perf_event_paranoid`: from 1 on users see their own processes' events only, from 2 on not the kernel's.
  public let perfEventParanoid: Int?
  /// `kernel.kptr_restrict`: 1 shows kernel addresses to those with CAP_SYSLOG, 2 to nobody.
  public let pointerRestriction: Int?
  /// `net.core.bpf_jit_enable`; also missing in network namespaces other than the first.
  public let jitEnabled: Int?
  /// The effective user id.
  public let user: UInt32

  /// Reads the facts; never fails.
  public static func read() -> SystemFacts {
    var system = utsname()
    uname(&system)
    return SystemFacts(
      release: text(system.release), architecture: text(system.machine), lockdown: SecurityFiles.lockdown(),
      unprivilegedBPFDisabled: number("kernel/unprivileged_bpf_disabled"),
      perfEventParanoid: number("kernel/perf_event_paranoid"), pointerRestriction: number("kernel/kptr_restrict"),
      jitEnabled: number("net/core/bpf_jit_enable"), user: geteuid())
  }

  private static func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static func number(_ name: String) -> Int? {
    setting(name).flatMap { Int($0) }
  }

  /// A sysctl's text; nil when there is no such one, or it can't be read.
  static func setting(_ name: String) -> String? {
    guard let bytes = try? readFile("/proc/sys/\(name)") else { return nil }
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
