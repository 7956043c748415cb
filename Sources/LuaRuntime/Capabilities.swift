import Support

/// Something outside the sandbox that a script wants to do.
public enum CapabilityRequest: Equatable, Sendable {
  case readFile(String)
  case writeFile(String)
  /// A host name or address, without a port.
  case connect(String)
  /// A command.
  case execute(String)
  /// What would change: `signal`, `override`.
  case changeKernel(String)
}

/// What the user has allowed with `--allow` (SPEC §2).
///
/// ```swift
/// let capabilities = try Capabilities(allowing: ["fs.read=/etc", "exec"])
/// capabilities.permits(.readFile("/etc/passwd"))  // true
/// ```
public struct Capabilities: Sendable {
  private enum Scope: Equatable {
    case nothing
    case everything
    case only([String])
  }

  /// Nothing beyond the sandbox.
  public static let none = Capabilities()

  private static let names = ["fs.read", "fs.write", "net", "exec", "kernel.write"]

  private var scopes: [String: Scope] = [:]

  private init() {}

  /// Reads the values of `--allow`. Throws a usage error for an unknown capability, for a scope where there is none and
  /// for a path whose directory does not exist. Relative paths and symbolic links are resolved now.
  public init(allowing texts: [String]) throws(MoontraceError) {
    for text in texts { try allow(text) }
  }

  private mutating func allow(_ text: String) throws(MoontraceError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[0]
    guard Self.names.contains(name) else {
      throw MoontraceError(
        .usage, "--allow \(text): there is no capability '\(name)'\(suggestionHint(for: name, in: Self.names))",
        remedy: "there are \(Self.names.joined(separator: ", "))")
    }
    guard parts.count == 2 else {
      scopes[name] = .everything
      return
    }
    let scope = try Self.readScope(parts[1], of: name)
    switch scopes[name] ?? .nothing {
    case .nothing: scopes[name] = .only([scope])
    case .only(let others): scopes[name] = .only(others + [scope])
    case .everything: break
    }
  }

  private static func readScope(_ scope: String, of name: String) throws(MoontraceError) -> String {
    guard name != "exec", name != "kernel.write" else {
      throw MoontraceError(.usage, "--allow \(name)=\(scope): \(name) has no scope", remedy: "write --allow \(name)")
    }
    guard !scope.isEmpty else {
      throw MoontraceError(.usage, "--allow \(name)=: the scope is empty", remedy: "write --allow \(name) to allow all")
    }
    guard name != "net" else { return scope.lowercased() }
    guard let path = resolvedPath(scope) else {
      throw MoontraceError(.usage, "--allow \(name)=\(scope): no such directory", remedy: "give a path that exists")
    }
    return path
  }

  /// Whether the request is allowed. Paths are compared after symbolic links are resolved; a directory covers all that
  /// is below it.
  public func permits(_ request: CapabilityRequest) -> Bool {
    switch (request, scopes[request.capability] ?? .nothing) {
    case (_, .nothing): false
    case (_, .everything): true
    case (.connect(let host), .only(let hosts)): hosts.contains(host.lowercased())
    case (.readFile(let path), .only(let scopes)), (.writeFile(let path), .only(let scopes)):
      resolvedPath(path).map { path in scopes.contains { isPath(path, within: $0) } } ?? false
    case (.execute, .only), (.changeKernel, .only): false
    }
  }

  /// nil when the request is allowed, else the error that says what to allow.
  public func refusal(of request: CapabilityRequest) -> MoontraceError? {
    if permits(request) { return nil }
    let remedy = request.scope.map { "or \(request.capability)=\($0)" }
    return MoontraceError(.notPermitted, "\(request.action) needs --allow \(request.capability)", remedy: remedy)
  }
}

extension CapabilityRequest {
  fileprivate var capability: String {
    switch self {
    case .readFile: "fs.read"
    case .writeFile: "fs.write"
    case .connect: "net"
    case .execute: "exec"
    case .changeKernel: "kernel.write"
    }
  }

  fileprivate var action: String {
    switch self {
    case .readFile(let path): "reading \(path)"
    case .writeFile(let path): "writing \(path)"
    case .connect(let host): "connecting to \(host)"
    case .execute(let command): "running '\(command)'"
    case .changeKernel(let what): "changing the kernel's behaviour (\(what))"
    }
  }

  fileprivate var scope: String? {
    switch self {
    case .readFile(let text), .writeFile(let text), .connect(let text): text
    case .execute, .changeKernel: nil
    }
  }
}
