import BTF
import Support

/// Names in the kernel that programs attach to.
public enum KernelTargets {
  /// Names of program sections, up to their first `/`.
  static let sectionKinds = [
    "tracepoint", "tp", "raw_tracepoint", "raw_tp", "tp_btf", "kprobe", "kretprobe", "ksyscall", "kretsyscall",
    "uprobe", "uretprobe", "usdt", "fentry", "fexit", "fmod_ret", "iter", "lsm", "perf_event", "xdp", "tc",
    "classifier", "action", "socket", "cgroup", "cgroup_skb", "sockops", "sk_skb", "sk_msg", "sk_lookup",
    "sk_reuseport", "flow_dissector", "struct_ops", "syscall", "kprobe.multi", "kretprobe.multi", "uprobe.s",
    "fentry.s", "fexit.s", "iter.s", "lsm.s",
  ]

  /// A hint for a misspelt target of a section such as `tp_btf/sched_swich` or `fentry/do_unlinka`.
  static func hint(for target: String, section: String) -> String {
    switch section.prefix(while: { $0 != "/" && $0 != "." }) {
    case "tp_btf": suggestionHint(for: target, in: rawTracepoints())
    case "iter": suggestionHint(for: target, in: iterators())
    case "fentry", "fexit", "fmod_ret": suggestionHint(for: target, in: functions())
    default: ""
    }
  }

  /// The raw tracepoints of the kernel itself: each has a typedef `btf_trace_NAME`.
  public static func rawTracepoints() -> [String] {
    names(.typedef, after: "btf_trace_")
  }

  /// Iterators: each has a function `bpf_iter_NAME` and its program's context, `struct bpf_iter__NAME`.
  public static func iterators() -> [String] {
    let functions = Set(names(.function, after: "bpf_iter_"))
    return names(.struct, after: "bpf_iter__").filter(functions.contains)
  }

  static func functions() -> [String] {
    (try? KernelTypes.graph().names(.function)) ?? []
  }

  /// Functions that the kernel lets tracers patch; where it does not tell (lockdown, no function tracer), all of them.
  static func probeableFunctions() -> [String] {
    if let lines = filterFunctions() {
      let names = lines.map { String(decoding: $0.prefix { !isBlank($0) }, as: UTF8.self) }
      // Stand-ins for functions that are gone.
      return names.filter { !$0.hasPrefix("__ftrace_invalid_address___") }
    }
    return functions()
  }

  /// One a line, those of modules followed by `\t[module]` (or a blank).
  private static func filterFunctions() -> [ArraySlice<UInt8>]? {
    guard let directory = try? Tracefs.directory(), let bytes = try? readFile(directory + "/available_filter_functions")
    else { return nil }
    return bytes.split(separator: UInt8(ascii: "\n"))
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\t") || byte == UInt8(ascii: " ") }

  /// The loaded module that a function which can be probed belongs to; nil for the kernel's own.
  public static func module(of function: String) -> String? {
    let name = Array(function.utf8)
    let line = filterFunctions()?.first { $0.starts(with: name) && $0.dropFirst(name.count).first.map(isBlank) == true }
    guard let place = line?.dropFirst(name.count + 1), place.first == UInt8(ascii: "["), place.last == UInt8(ascii: "]")
    else { return nil }
    return String(decoding: place.dropFirst().dropLast(), as: UTF8.self)
  }

  /// Whether a function is among those, where the kernel tells.
  public static func isProbeable(_ function: String) -> Bool {
    probeableFunctions().contains(function)
  }

  /// Whether the kernel itself has a function.
  static func hasFunction(_ name: String) -> Bool {
    (try? KernelTypes.graph().find(name, .function)) ?? nil != nil
  }

  /// Whether the kernel itself has a raw tracepoint.
  static func hasRawTracepoint(_ name: String) -> Bool {
    (try? KernelTypes.graph().find("btf_trace_" + name, .typedef)) ?? nil != nil
  }

  /// Functions that can be probed and have types.
  static func typedFunctions() -> [String] {
    let typed = Set(functions())
    return probeableFunctions().filter(typed.contains)
  }

  /// The system calls by the names that users know, from the functions behind them.
  static func systemCalls() -> [String] {
    #if arch(arm64)
      let prefix = "__arm64_sys_"
    #else
      let prefix = "__x64_sys_"
    #endif
    return probeableFunctions().filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
  }

  private static func names(_ kind: TypeKind, after prefix: String) -> [String] {
    let all = (try? KernelTypes.graph().names(kind)) ?? []
    return all.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
  }
}
