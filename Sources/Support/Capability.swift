/// Something that a script may do only when it was allowed to: `fs.read=/etc`, `net`, `kernel.write`.
///
/// ```swift
/// try Capability("fs.read=/etc")  // kind .readFiles, scope "/etc"
/// ```
public struct Capability: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    case readFiles = "fs.read"
    case writeFiles = "fs.write"
    case network = "net"
    case startProcesses = "exec"
    case changeKernel = "kernel.write"

    /// What a scope after `=` names; nil when the capability takes none.
    var scopeName: String? {
      switch self {
      case .readFiles, .writeFiles: "PATH"
      case .network: "HOST"
      case .startProcesses, .changeKernel: nil
      }
    }
  }

  public var kind: Kind
  /// The path or host that it is limited to; nil allows all.
  public var scope: String?

  public init(_ kind: Kind, scope: String? = nil) {
    self.kind = kind
    self.scope = scope
  }

  /// Reads `NAME` or `NAME=SCOPE`, the form of `--allow` and of a header's `needs`. Throws a usage error for a name
  /// that does not exist, an empty scope, and a scope where none is possible.
  public init(_ text: String) throws(MoontraceError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let kind = Kind(rawValue: parts[0]) else { throw Self.unknown(parts[0]) }
    let scope = parts.count > 1 ? parts[1] : nil
    if let scope { try Self.check(scope, of: kind) }
    self.init(kind, scope: scope)
  }

  private static func unknown(_ name: String) -> MoontraceError {
    let names = Kind.allCases.map(\.rawValue)
    return MoontraceError(
      .usage, "there is no capability '\(name)'\(suggestionHint(for: name, in: names))",
      remedy: "there are \(names.joined(separator: ", "))")
  }

  private static func check(_ scope: String, of kind: Kind) throws(MoontraceError) {
    guard let scopeName = kind.scopeName else {
      throw MoontraceError(.usage, "capability '\(kind.rawValue)' takes no scope, got '\(scope)'")
    }
    guard !scope.isEmpty else {
      throw MoontraceError(
        .usage, "capability '\(kind.rawValue)=' has an empty scope",
        remedy: "write \(kind.rawValue)=\(scopeName), or \(kind.rawValue) for all")
    }
  }
}

extension Capability: CustomStringConvertible {
  public var description: String { kind.rawValue + (scope.map { "=\($0)" } ?? "") }
}
