import Support

extension ProbeCatalog {
  /// Probes of one kind.
  public struct Group: Equatable, Sendable {
    public var kind: Kind
    /// Whole SPECs with the kind's long name, sorted.
    public var specs: [String]
  }

  /// The probes that a pattern stands for.
  ///
  /// With a kind (`t:sched:*`, `uprobe:libc:mem*`) those of the kind; what is left out stands for all (`t:sched`,
  /// `usdt:/usr/bin/qemu`). Without one (`*open*`), those of the kernel whose name matches: of a tracepoint its event or
  /// the category with it.
  ///
  /// - Throws: `.usage` for a binary that there is not; `.notPermitted` when tracefs can't be read; `.scriptFailed`
  ///   when nothing matches, with what was probably meant.
  public static func probes(matching pattern: String) throws(MoontraceError) -> [Group] {
    var groups: [Group] = []
    if let kind = Kind(spec: pattern), pattern.contains(":") || pattern == kind.rawValue {
      let rest = pattern.drop { $0 != ":" }.dropFirst()
      groups = [Group(kind: kind, specs: try specs(of: kind, String(rest)))]
    } else {
      for kind in Kind.allCases where kind.isSearched {
        groups.append(Group(kind: kind, specs: try search(kind, pattern)))
      }
    }
    groups = groups.filter { !$0.specs.isEmpty }
    if groups.isEmpty { throw try nothing(pattern) }
    return groups
  }

  // MARK: Matching

  private static func specs(of kind: Kind, _ pattern: String) throws(MoontraceError) -> [String] {
    if kind.isInPrograms { return try programSpecs(of: kind, pattern) }
    var whole = pattern.isEmpty ? "*" : pattern
    if kind == .tracepoint, !pattern.isEmpty {
      whole = pattern.contains(":") ? pattern + (pattern.hasSuffix(":") ? "*" : "") : "\(pattern):*"
    }
    let glob = Glob(whole)
    return try names(of: kind).filter(glob.matches).map { "\(kind.rawValue):\($0)" }
  }

  /// `BINARY`, `BINARY:SYMBOL`, `BINARY:PROVIDER:NAME`, where all parts may hold `*`.
  private static func programSpecs(of kind: Kind, _ pattern: String) throws(MoontraceError) -> [String] {
    let parts = pattern.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let binary = parts.first, !binary.isEmpty else {
      throw MoontraceError(
        .usage, "'\(kind.rawValue):' lacks the program to look into", remedy: "write \(kind.rawValue):\(kind.form)")
    }
    var name = parts.count > 1 && !parts[1].isEmpty ? parts[1] : "*"
    if kind == .usdt, name.hasSuffix(":") { name += "*" }
    let glob = Glob(kind == .usdt && name != "*" && !name.contains(":") ? "\(name):*" : name)
    var specs: [String] = []
    for path in try BinaryFinder.paths(matching: binary) {
      // Beside programs that a pattern finds there may be other files.
      let names = binary.contains("*") ? (try? names(of: kind, in: path)) ?? [] : try names(of: kind, in: path)
      specs += names.filter(glob.matches).map { "\(kind.rawValue):\(path):\($0)" }
    }
    return specs
  }

  private static func search(_ kind: Kind, _ pattern: String) throws(MoontraceError) -> [String] {
    let glob = Glob(pattern)
    let isWhole = pattern.contains(":")
    return try names(of: kind).filter { name in
      if glob.matches(name) { return true }
      if isWhole { return glob.matches("\(kind.rawValue):\(name)") }
      guard kind == .tracepoint, let colon = name.firstIndex(of: ":") else { return false }
      return glob.matches(String(name[name.index(after: colon)...]))
    }.map { "\(kind.rawValue):\($0)" }
  }

  /// The error when nothing matches: is there something nearly like it?
  private static func nothing(_ pattern: String) throws(MoontraceError) -> MoontraceError {
    let error = MoontraceError(.scriptFailed, "nothing matches '\(pattern)'")
    guard !pattern.contains("*") else { return error }
    if Kind(spec: pattern) == nil || !pattern.contains(":") {
      let wider = "*\(pattern)*"
      for kind in Kind.allCases where kind.isSearched && !pattern.isEmpty {
        if try !search(kind, wider).isEmpty { return with(wider, error) }
      }
      return with(suggestion(for: pattern, in: try names(of: .kprobe)), error)
    }
    guard let kind = Kind(spec: pattern), !kind.isInPrograms else { return error }
    let name = String(pattern.drop { $0 != ":" }.dropFirst())
    return with(suggestion(for: name, in: try names(of: kind)).map { "\(kind.rawValue):\($0)" }, error)
  }

  private static func with(_ suggestion: String?, _ error: MoontraceError) -> MoontraceError {
    var error = error
    if let suggestion { error.message += " (did you mean '\(suggestion)'?)" }
    return error
  }
}
