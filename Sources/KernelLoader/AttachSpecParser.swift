import Support

extension AttachSpec {
  /// Reads a SPEC.
  ///
  /// - Throws: `.usage` with the form that is expected and, for a mistyped name, the one that was meant.
  public init(_ text: String) throws(MoontraceError) {
    self = try AttachSpecParser(text: text).parse()
  }
}

/// Reads one SPEC; a value so that every error can quote the whole text.
struct AttachSpecParser {
  let text: String

  private var parts: [String] {
    text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
  }

  /// What stands behind the name, up to the end.
  var rest: String { parts.count > 1 ? parts[1] : "" }

  func parse() throws(MoontraceError) -> AttachSpec {
    let word = parts.first ?? ""
    let kind = AttachSpec.kinds.first { $0.name == word || $0.short == word }?.name
    switch kind {
    case "tracepoint":
      let fields = try fields(2, "tracepoint:CATEGORY:EVENT")
      return .tracepoint(category: fields[0], name: fields[1])
    case "rawtracepoint": return .rawTracepoint(try fields(1, "rawtracepoint:EVENT")[0])
    case "tp_btf": return .typedTracepoint(try fields(1, "tp_btf:EVENT")[0])
    case "kprobe": return try kernelProbe()
    case "kretprobe":
      return .kernelProbe(function: try fields(1, "kretprobe:FUNCTION")[0], offset: 0, isReturn: true)
    case "ksyscall", "kretsyscall":
      return .systemCall(name: try fields(1, "\(word):NAME")[0], isReturn: word == "kretsyscall")
    case "fentry": return .kernelFunction(name: try fields(1, "fentry:FUNCTION")[0], isReturn: false)
    case "fexit": return .kernelFunction(name: try fields(1, "fexit:FUNCTION")[0], isReturn: true)
    case "uprobe": return try userProbe(isReturn: false)
    case "uretprobe": return try userProbe(isReturn: true)
    case "usdt": return try usdt()
    case "profile": return .profile(hertz: try hertz())
    case "interval": return .interval(nanoseconds: try interval())
    case "software": return try sampled(SampledEvent.software, "software", AttachSpec.software)
    case "hardware": return try sampled(SampledEvent.hardware, "hardware", AttachSpec.hardware)
    case "perf_event": return try perfEvent()
    case "iter": return .iterator(try fields(1, "iter:NAME")[0])
    case "xdp": return try xdp()
    case "tc": return try trafficControl()
    case "tcx": return try trafficLink()
    case "netfilter": return try netfilter()
    case "cgroup": return .cgroup(path: rest)
    case "socket": return .socket(socketTarget)
    case "netns": return .networkNamespace(path: rest.isEmpty ? "/proc/self/ns/net" : rest)
    case "sockmap": return .socketMap(try fields(1, "sockmap:MAP")[0])
    default: throw unknown(word)
    }
  }

  private func unknown(_ word: String) -> MoontraceError {
    let names = AttachSpec.kinds.map(\.name)
    if let meant = likelyMeant {
      return MoontraceError(.usage, "'\(text)' does not say what kind of probe it is (did you mean '\(meant)'?)")
    }
    return MoontraceError(
      .usage, "'\(text)': no probe is called '\(word)'\(suggestionHint(for: word, in: names))",
      remedy: "one of \(names.joined(separator: ", "))")
  }

  /// The SPEC with the kind that seems to be left out: of a binary's symbol, a tracepoint, a kernel function.
  private var likelyMeant: String? {
    let word = parts.first ?? ""
    let isPlain = parts.count == 2 && !rest.isEmpty && !rest.contains(":")
    if isPlain, word.contains("/") || (try? BinaryFinder.path(of: word)) != nil { return "uprobe:\(text)" }
    if isPlain, (try? Tracefs.has(word, rest)) == true { return "tracepoint:\(text)" }
    guard parts.count == 1, !word.isEmpty else { return nil }
    if word.hasPrefix("sys_"), (try? Tracefs.has("syscalls", word)) == true { return "tracepoint:syscalls:\(word)" }
    return KernelTargets.isProbeable(word) ? "kprobe:\(word)" : nil
  }

  func wrongForm(_ form: String) -> MoontraceError {
    MoontraceError(.usage, "'\(text)' is no complete probe", remedy: "write \(form)")
  }

  /// Exactly `count` fields, none of them empty.
  func fields(_ count: Int, _ form: String) throws(MoontraceError) -> [String] {
    let fields = rest.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard fields.count == count, !fields.contains("") else { throw wrongForm(form) }
    return fields
  }

  /// All that follows, colons included.
  func tail(_ form: String) throws(MoontraceError) -> String {
    if rest.isEmpty { throw wrongForm(form) }
    return rest
  }

  /// The last `count` fields, and before them a path that may itself hold colons.
  private func path(before count: Int, _ form: String) throws(MoontraceError) -> (path: String, fields: [String]) {
    let all = rest.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard all.count > count, !all.suffix(count).contains("") else { throw wrongForm(form) }
    let path = all.dropLast(count).joined(separator: ":")
    guard !path.isEmpty else { throw wrongForm(form) }
    return (path, all.suffix(count))
  }

  private func kernelProbe() throws(MoontraceError) -> AttachSpec {
    let form = "kprobe:FUNCTION[+OFFSET]"
    let (function, offset) = try symbol(try fields(1, form)[0], form)
    return .kernelProbe(function: function, offset: Int(clamping: offset), isReturn: false)
  }

  private func userProbe(isReturn: Bool) throws(MoontraceError) -> AttachSpec {
    let form = isReturn ? "uretprobe:BINARY:SYMBOL" : "uprobe:BINARY:SYMBOL[+OFFSET] or uprobe:BINARY:0xOFFSET"
    let (binary, fields) = try path(before: 1, form)
    if let offset = Self.number(fields[0]) {
      return .userProbe(binary: binary, location: .fileOffset(offset), isReturn: isReturn)
    }
    let (name, offset) = try symbol(fields[0], form)
    guard !isReturn || offset == 0 else { throw wrongForm(form) }
    return .userProbe(binary: binary, location: .symbol(name, offset: offset), isReturn: isReturn)
  }

  private func usdt() throws(MoontraceError) -> AttachSpec {
    let (binary, fields) = try path(before: 2, "usdt:BINARY:PROVIDER:NAME")
    return .usdt(binary: binary, provider: fields[0], name: fields[1])
  }

  /// `name` or `name+offset`.
  private func symbol(_ text: String, _ form: String) throws(MoontraceError) -> (name: String, offset: UInt64) {
    guard let plus = text.lastIndex(of: "+") else { return (text, 0) }
    guard let offset = Self.number(String(text[text.index(after: plus)...])), plus != text.startIndex else {
      throw wrongForm(form)
    }
    return (String(text[..<plus]), offset)
  }

  private func hertz() throws(MoontraceError) -> Int {
    let form = "profile:HZ with 1 to 100000"
    guard let hertz = Int(try fields(1, form)[0]), (1...100_000).contains(hertz) else { throw wrongForm(form) }
    return hertz
  }

  private func interval() throws(MoontraceError) -> UInt64 {
    let form = "interval:SECONDS, more than 0"
    guard let seconds = Double(try fields(1, form)[0]), seconds >= 1e-6, seconds < 1e9 else { throw wrongForm(form) }
    return UInt64(seconds * 1e9)
  }

  /// Decimal, or hexadecimal after `0x`.
  static func number(_ text: String) -> UInt64? {
    text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }
}
