import Support

/// What can be probed here, by kind: for listings and completion.
///
/// ```swift
/// try ProbeCatalog.names(of: .tracepoint)           // "sched:sched_switch", …
/// try ProbeCatalog.probes(matching: "t:sched:*")    // whole SPECs, by kind
/// ```
public enum ProbeCatalog {
  /// A kind of probes whose places have names, with its long name as SPECs write it.
  public enum Kind: String, CaseIterable, Sendable {
    case tracepoint, rawtracepoint
    case typedTracepoint = "tp_btf"
    case kprobe, kretprobe, ksyscall, kretsyscall, fentry, fexit
    case uprobe, uretprobe, usdt
    case software, hardware, iter

    /// The short form that SPECs may begin with; nil when there is none.
    public var short: String? { AttachSpec.kinds.first { $0.name == rawValue }?.short }

    /// What stands behind the kind in a SPEC.
    public var form: String {
      switch self {
      case .tracepoint: "CATEGORY:EVENT"
      case .rawtracepoint, .typedTracepoint: "EVENT"
      case .kprobe: "FUNCTION[+OFFSET]"
      case .kretprobe, .fentry, .fexit: "FUNCTION"
      case .ksyscall, .kretsyscall, .iter: "NAME"
      case .uprobe: "BINARY:SYMBOL[+OFFSET]"
      case .uretprobe: "BINARY:SYMBOL"
      case .usdt: "BINARY:PROVIDER:NAME"
      case .software, .hardware: "EVENT[:COUNT]"
      }
    }

    /// Whether its places are in programs, which have to be named, as against the kernel.
    public var isInPrograms: Bool { [.uprobe, .uretprobe, .usdt].contains(self) }

    /// Whether a pattern without a kind looks through it. The others have the same names as one of these.
    public var isSearched: Bool {
      [.tracepoint, .rawtracepoint, .kprobe, .fentry, .software, .hardware, .iter].contains(self)
    }

    /// What this kernel lacks that attaching to this kind takes; nil when it can.
    public var obstacle: KernelFeature? {
      let feature: KernelFeature? =
        switch self {
        case .kprobe, .kretprobe, .ksyscall, .kretsyscall: KernelFeatures.kprobes
        case .fentry, .fexit: KernelFeatures.fentry
        case .uprobe, .uretprobe, .usdt: KernelFeatures.uprobes
        case .hardware: KernelFeatures.hardwareCounters
        case .iter: KernelFeatures.iterators
        case .tracepoint, .rawtracepoint, .typedTracepoint, .software: nil
        }
      return feature?.isAvailable == false ? feature : nil
    }

    /// The kind that a SPEC begins with, by its long or short name.
    public init?(spec: some StringProtocol) {
      let word = spec.prefix { $0 != ":" }
      guard let name = AttachSpec.kinds.first(where: { $0.name == word || $0.short == word.description })?.name else {
        return nil
      }
      self.init(rawValue: name)
    }
  }

  /// What stands behind `KIND:` in SPECs of the kernel, sorted: `sched:sched_switch` for tracepoints. None for kinds
  /// that are in programs.
  ///
  /// Names are known also where this kernel can't attach to them (`Kind.obstacle`).
  /// - Throws: `.notPermitted` when tracefs can't be read, `.unsupported` when the kernel has no types.
  public static func names(of kind: Kind) throws(MoontraceError) -> [String] {
    switch kind {
    case .tracepoint: return try Tracefs.events()
    case .rawtracepoint, .typedTracepoint: return distinct(KernelTargets.rawTracepoints())
    case .kprobe, .kretprobe: return distinct(KernelTargets.probeableFunctions())
    case .ksyscall, .kretsyscall: return distinct(KernelTargets.systemCalls())
    case .fentry, .fexit: return distinct(KernelTargets.typedFunctions())
    case .software: return SampledEvent.software.map(\.name)
    case .hardware: return SampledEvent.hardware.map(\.name)
    case .iter: return distinct(KernelTargets.iterators())
    case .uprobe, .uretprobe, .usdt: return []
    }
  }

  /// What stands behind `KIND:BINARY:` in SPECs of a program or library: its functions, or `provider:name` of its USDT
  /// probes; sorted.
  ///
  /// - Throws: `.usage` when the file can't be read or is none of these.
  public static func names(of kind: Kind, in path: String) throws(MoontraceError) -> [String] {
    switch kind {
    case .uprobe, .uretprobe: return try UserSymbolPlace(path: path).distinctFunctions
    case .usdt: return distinct(try USDTNotes(path: path).probes.map { "\($0.provider):\($0.name)" })
    default: return []
    }
  }

  private static func distinct(_ names: [String]) -> [String] {
    Set(names).sorted()
  }
}
