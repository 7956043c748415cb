import Support

extension AttachSpec {
  /// Throws what attaching would throw, `.unsupported`, when this kernel has no probes of this kind at all.
  public func checkKind() throws(MoontraceError) {
    try Attachment.checkKind(of: self)
  }

  /// How many targets a SPEC with `*` may stand for.
  public static let largestExpansion = 10_000

  /// The SPECs that this one stands for: itself, or, when parts of it hold `*`, all that match, sorted.
  ///
  /// ```swift
  /// let reads = try AttachSpec("tracepoint:syscalls:sys_enter_*read*").expanded()
  /// ```
  ///
  /// - Parameter checksKind: false where programs are not to be loaded, which finding out about kinds takes.
  /// - Throws: `.unsupported` (`.usage` for binaries) when nothing matches, with what was probably meant; `.usage` when
  ///   too much does.
  public func expanded(
    limit: Int = largestExpansion, checksKind: Bool = true
  ) throws(MoontraceError) -> [AttachSpec] {
    guard description.utf8.contains(UInt8(ascii: "*")) else { return [self] }
    if checksKind { try checkKind() }
    let matches = try matches()
    guard matches.count <= limit else {
      throw MoontraceError(
        .usage, "'\(self)' matches \(matches.count) places, which is more than \(limit)", remedy: "name fewer")
    }
    return matches
  }

  private func matches() throws(MoontraceError) -> [AttachSpec] {
    switch self {
    case .tracepoint(let category, let name): return try tracepoints(category, name)
    case .rawTracepoint(let name): return try select(name, KernelTargets.rawTracepoints()) { .rawTracepoint($0) }
    case .typedTracepoint(let name): return try select(name, KernelTargets.rawTracepoints()) { .typedTracepoint($0) }
    case .iterator(let name): return try select(name, KernelTargets.iterators()) { .iterator($0) }
    case .kernelProbe(let function, let offset, let isReturn):
      return try select(function, KernelTargets.probeableFunctions()) {
        .kernelProbe(function: $0, offset: offset, isReturn: isReturn)
      }
    case .systemCall(let name, let isReturn):
      return try select(name, KernelTargets.systemCalls()) { .systemCall(name: $0, isReturn: isReturn) }
    case .kernelFunction(let name, let isReturn):
      return try select(name, KernelTargets.typedFunctions()) { .kernelFunction(name: $0, isReturn: isReturn) }
    case .userProbe(let binary, let location, let isReturn): return try userProbes(binary, location, isReturn)
    case .usdt(let binary, let provider, let name): return try usdtProbes(binary, provider, name)
    default: throw MoontraceError(.usage, "'\(self)': '*' can't stand for anything here")
    }
  }

  private func tracepoints(_ category: String, _ name: String) throws(MoontraceError) -> [AttachSpec] {
    // Events of ftrace itself have no tracepoints behind them.
    let categories = try Tracefs.categories().filter { $0 != "ftrace" }
    let wanted = Glob(category)
    let chosen = categories.filter(wanted.matches)
    if chosen.isEmpty { throw nothing(wanted, categories, .unsupported) }
    var (names, matches) = ([String](), [AttachSpec]())
    let glob = Glob(name)
    for category in chosen {
      let events = try Tracefs.events(in: category)
      matches += events.lazy.filter(glob.matches).map { .tracepoint(category: category, name: $0) }
      names += events
    }
    if matches.isEmpty { throw nothing(glob, names, .unsupported) }
    return matches
  }

  private func select(
    _ pattern: String, _ names: [String], _ make: (String) -> AttachSpec
  ) throws(MoontraceError) -> [AttachSpec] {
    let glob = Glob(pattern)
    let chosen = Set(names.lazy.filter(glob.matches)).sorted()
    if chosen.isEmpty { throw nothing(glob, names, .unsupported) }
    return chosen.map(make)
  }

  private func userProbes(
    _ binary: String, _ location: UserLocation, _ isReturn: Bool
  ) throws(MoontraceError) -> [AttachSpec] {
    var matches: [AttachSpec] = []
    var names: [String] = []
    for path in try BinaryFinder.paths(matching: binary) {
      guard case .symbol(let name, let offset) = location, name.utf8.contains(UInt8(ascii: "*")) else {
        matches.append(.userProbe(binary: path, location: location, isReturn: isReturn))
        continue
      }
      let known = try ifProbeable(path, of: binary) { () throws(MoontraceError) in
        try UserSymbolPlace(path: path).distinctFunctions
      }
      matches += known.filter(Glob(name).matches).map {
        .userProbe(binary: path, location: .symbol($0, offset: offset), isReturn: isReturn)
      }
      names += known
    }
    guard matches.isEmpty, case .symbol(let name, _) = location else { return matches }
    throw nothing(Glob(name), names, .usage)
  }

  private func usdtProbes(
    _ binary: String, _ provider: String, _ name: String
  ) throws(MoontraceError) -> [AttachSpec] {
    let (providers, glob) = (Glob(provider), Glob(name))
    var matches: [AttachSpec] = []
    var names: [String] = []
    for path in try BinaryFinder.paths(matching: binary) {
      let known = Set(
        try ifProbeable(path, of: binary) { () throws(MoontraceError) in
          try USDTNotes(path: path).probes.map { [$0.provider, $0.name] }
        })
      let chosen = known.filter { providers.matches($0[0]) && glob.matches($0[1]) }
      matches += chosen.map { .usdt(binary: path, provider: $0[0], name: $0[1]) }
      names += known.map { $0[1] }
    }
    if matches.isEmpty { throw nothing(glob, names, .usage) }
    return matches.sorted { $0.description < $1.description }
  }

  /// What a file holds; nothing when `*` stands for it and it is no program: other files may lie beside programs.
  private func ifProbeable<Name>(
    _ path: String, of pattern: String, _ read: () throws(MoontraceError) -> [Name]
  ) throws(MoontraceError) -> [Name] {
    pattern.utf8.contains(UInt8(ascii: "*")) ? (try? read()) ?? [] : try read()
  }

  /// Nothing matches: is there something that begins nearly like the pattern?
  private func nothing(_ glob: Glob, _ names: [String], _ code: MoontraceError.Code) -> MoontraceError {
    let start = String(decoding: glob.prefix, as: UTF8.self)
    var hint = ""
    if start.utf8.count >= 3 {
      var starts: [String: Int] = [:]
      for name in names { starts[String(decoding: name.utf8.prefix(start.utf8.count), as: UTF8.self), default: 0] += 1 }
      // Of several that are as near, the one that most names begin with.
      let near = suggestion(for: start, in: starts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key))
      hint = near.map { " (did you mean '\($0)\(glob.pattern.dropFirst(start.count))'?)" } ?? ""
    }
    let place = code == .unsupported ? "in this kernel " : ""
    return MoontraceError(code, "nothing \(place)matches '\(self)'\(hint)")
  }
}
