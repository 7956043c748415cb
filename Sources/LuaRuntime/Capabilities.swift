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

  private var scopes: [Capability.Kind: Scope] = [:]

  private init() {}

  /// Reads the values of `--allow`. Throws a usage error for an unknown capability, for a scope where there is none and
  /// for a path whose directory does not exist. Relative paths and symbolic links are resolved now.
  public init(allowing texts: [String]) throws(MoontraceError) {
    for text in texts { try allow(text) }
  }

  private mutating func allow(_ text: String) throws(MoontraceError) {
    let capability: Capability
    do throws(MoontraceError) {
      capability = try Capability(text)
    } catch {
      throw MoontraceError(.usage, "--allow \(text): \(error.message)", remedy: error.remedy)
    }
    guard let scope = try Self.scope(of: capability) else {
      scopes[capability.kind] = .everything
      return
    }
    add(scope, to: capability.kind)
  }

  /// Grants writing one file, which the user has named otherwise. Throws a usage error when it can't be told which file
  /// that is.
  public mutating func permitWriting(_ path: String) throws(MoontraceError) {
    guard let scope = resolvedPath(path) else {
      throw MoontraceError(.usage, "can't write to '\(path)': no such directory, or a link to nowhere")
    }
    add(scope, to: .writeFiles)
  }

  private mutating func add(_ scope: String, to kind: Capability.Kind) {
    switch scopes[kind] ?? .nothing {
    case .nothing: scopes[kind] = .only([scope])
    case .only(let others): scopes[kind] = .only(others + [scope])
    case .everything: break
    }
  }

  private static func scope(of capability: Capability) throws(MoontraceError) -> String? {
    guard let scope = capability.scope else { return nil }
    if capability.kind == .network { return scope.lowercased() }
    guard let path = resolvedPath(scope) else {
      throw MoontraceError(.usage, "--allow \(capability): no such directory", remedy: "give a path that exists")
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
    let name = request.capability.rawValue
    let remedy = request.scope.map { "or \(name)=\($0)" }
    return MoontraceError(.notPermitted, "\(request.action) needs --allow \(name)", remedy: remedy)
  }
}

extension CapabilityRequest {
  fileprivate var capability: Capability.Kind {
    switch self {
    case .readFile: .readFiles
    case .writeFile: .writeFiles
    case .connect: .network
    case .execute: .startProcesses
    case .changeKernel: .changeKernel
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
