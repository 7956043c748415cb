import Support

extension AttachSpec {
  /// The SPEC that a program's section stands for; nil when the section names no target (`SEC("uprobe")`), or when only
  /// libbpf can read it (`lsm/…`, `fmod_ret/…`).
  init?(section: String) {
    guard let slash = section.firstIndex(of: "/") else { return nil }
    let target = String(section[section.index(after: slash)...])
    let kind = section[..<slash]
    guard let spec = Self.spec(kind: String(kind), target: target) else { return nil }
    self = spec
  }

  private static func spec(kind: String, target: String) -> AttachSpec? {
    switch kind {
    case "tracepoint", "tp":
      // tp/category/event
      try? AttachSpec("tracepoint:" + target.split(separator: "/", maxSplits: 1).joined(separator: ":"))
    case "raw_tracepoint", "raw_tp", "raw_tracepoint.w", "raw_tp.w": .rawTracepoint(target)
    case "tp_btf": .typedTracepoint(target)
    case "kprobe", "kretprobe", "ksyscall", "kretsyscall": try? AttachSpec("\(kind):\(target)")
    case "kprobe.multi": try? AttachSpec("kprobe:" + target)
    case "kretprobe.multi": try? AttachSpec("kretprobe:" + target)
    case "fentry", "fentry.s": .kernelFunction(name: target, isReturn: false)
    case "fexit", "fexit.s": .kernelFunction(name: target, isReturn: true)
    case "uprobe", "uprobe.s", "uprobe.multi", "uprobe.multi.s": try? AttachSpec("uprobe:" + target)
    case "uretprobe", "uretprobe.s", "uretprobe.multi", "uretprobe.multi.s": try? AttachSpec("uretprobe:" + target)
    case "usdt", "usdt.s": try? AttachSpec("usdt:" + target)
    case "iter", "iter.s": .iterator(target)
    default: nil
    }
  }
}
