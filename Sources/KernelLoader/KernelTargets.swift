import BTF
import Support

/// Names in the kernel that programs attach to, for "did you mean …?".
enum KernelTargets {
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
  static func rawTracepoints() -> [String] {
    names(.typedef, after: "btf_trace_")
  }

  /// Iterators: each has a function `bpf_iter_NAME`.
  static func iterators() -> [String] {
    names(.function, after: "bpf_iter_")
  }

  /// System calls: each has a function such as `__x64_sys_NAME`.
  static func systemCalls() -> [String] {
    functions().compactMap { name in
      let parts = name.split(separator: "_sys_", maxSplits: 1)
      return parts.count == 2 && parts[0].hasPrefix("__") ? String(parts[1]) : nil
    }
  }

  static func functions() -> [String] {
    (try? KernelTypes.graph().names(.function)) ?? []
  }

  private static func names(_ kind: TypeKind, after prefix: String) -> [String] {
    let all = (try? KernelTypes.graph().names(kind)) ?? []
    return all.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
  }
}
