/// What tells one distribution's kernel from another's, as btfhub's archive does.
///
/// ```swift
/// let system = SystemIdentity(osRelease: text, architecture: "x86_64", release: "5.4.0-42-generic")
/// let btf = package.types(for: system)
/// ```
public struct SystemIdentity: Hashable, Sendable {
  /// `ID` of /etc/os-release: `ubuntu`.
  public var distribution: String
  /// `VERSION_ID`: `20.04`; empty for distributions without versions.
  public var version: String
  /// As `uname -m` says it: `x86_64`.
  public var architecture: String
  /// As `uname -r` says it.
  public var release: String

  public init(distribution: String, version: String, architecture: String, release: String) {
    self.distribution = distribution
    self.version = version
    self.architecture = architecture
    self.release = release
  }

  /// - Parameter osRelease: the text of /etc/os-release. Without an `ID` the distribution is `linux` (os-release(5)).
  public init(osRelease: String, architecture: String, release: String) {
    let fields = Self.assignments(osRelease)
    self.init(
      distribution: fields["ID"] ?? "linux", version: fields["VERSION_ID"] ?? "", architecture: architecture,
      release: release)
  }

  /// `NAME=VALUE` lines of os-release(5), the values without their quotes.
  private static func assignments(_ text: String) -> [String: String] {
    var fields: [String: String] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      fields[String(parts[0])] = String(unquoted(parts[1]))
    }
    return fields
  }

  private static func unquoted(_ value: Substring) -> Substring {
    guard value.count >= 2, let quote = value.first, quote == "\"" || quote == "'", value.last == quote else {
      return value
    }
    return value.dropFirst().dropLast()
  }

  private static let directory = "btfhub-archive"

  /// Where its BTF stands in an archive: `btfhub-archive/ubuntu/20.04/x86_64/5.4.0-42-generic.btf`.
  public var archivePath: String {
    [Self.directory, distribution, version, architecture, "\(release).btf"].filter { !$0.isEmpty }.joined(
      separator: "/")
  }

  /// The system that a path in an archive is for; nil when it is not one of BTF.
  init?(archivePath: String) {
    var parts = archivePath.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 4 { parts.insert("", at: 2) }
    guard parts.count == 5, parts[0] == Self.directory, parts[4].hasSuffix(".btf") else { return nil }
    self.init(
      distribution: String(parts[1]), version: String(parts[2]), architecture: String(parts[3]),
      release: String(parts[4].dropLast(4)))
  }
}
