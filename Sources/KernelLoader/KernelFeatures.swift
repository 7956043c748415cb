import BTF
import CLibbpf
import Glibc
import Support

/// What the running kernel can do, each probed once a process when first asked.
///
/// These are small questions to the kernel that explain why an attachment was refused; `AttachTrial` makes attachments.
public enum KernelFeatures {
  public static let kprobes = onFile(
    "kprobes", "/sys/bus/event_source/devices/kprobe", otherwise: "CONFIG_KPROBES is off",
    remedy: "use a tracepoint or rawtracepoint")

  /// Whether one attachment can hold kprobes on many functions (`SEC("kprobe.multi/GLOB")`).
  public static let kprobeMulti = kprobeMultiFeature()

  public static let uprobes = onFile(
    "uprobes", "/sys/bus/event_source/devices/uprobe", otherwise: "CONFIG_UPROBES is off",
    remedy: "use a kernel with CONFIG_UPROBE_EVENTS=y")

  /// Whether programs can be attached to the entry and exit of kernel functions.
  public static let fentry = fentryFeature()

  /// Whether kprobes can change what a function returns.
  public static let overrides = overrideFeature()

  public static let ringBuffers = KernelFeature(
    "BPF ring buffers", Probe(result: createRing(), meaning: [EINVAL: "it is older than 5.8"]),
    remedy: "use a perf event array")

  public static let iterators = KernelFeature(
    "BPF iterators",
    missing: typeInformation.reason
      ?? (KernelTargets.hasFunction("bpf_iter_task") ? nil : "it is older than 5.8"),
    remedy: "use Linux 5.8 or newer, with CONFIG_DEBUG_INFO_BTF=y")

  /// Attachments to tc that end with the process.
  public static let tcx = KernelFeature(
    "tcx links", Probe(result: linkTraffic(), meaning: [EINVAL: "it is older than 6.6"]),
    remedy: "tc filters, which survive SIGKILL, are used instead; they need Linux 6.6")

  /// Programs in the road of packets through netfilter.
  public static let netfilter = KernelFeature(
    "netfilter programs", missing: has("bpf_nf_link_attach", since: "6.4 (CONFIG_NETFILTER_BPF_LINK)"),
    remedy: "use Linux 6.4 or newer, or a tc program")

  /// Whether tables of functions (struct_ops) are taken back by the kernel when the process ends.
  public static let structOpsLinks = KernelFeature(
    "struct_ops links", missing: has("bpf_struct_ops_link_create", since: "6.4"), remedy: "use Linux 6.4 or newer")

  /// nil when the kernel has a function, as its types tell.
  private static func has(_ function: String, since release: String) -> String? {
    let isThere = KernelTargets.hasFunction(function)
    return isThere ? nil : "it is older than \(release)"
  }

  public static let mapBatches = KernelFeature(
    "map batches", Probe(result: readBatch(), meaning: [EINVAL: "it is older than 5.6"]),
    remedy: "use Linux 5.6 or newer; until then maps are read slower")

  public static let typeInformation = onFile(
    "BTF type information", KernelTypes.path, otherwise: "CONFIG_DEBUG_INFO_BTF is off",
    remedy: KernelTypes.remedy, detail: KernelTypes.path)

  /// Performance counters of the CPU itself.
  public static let hardwareCounters = hardwareFeature()

  /// Whether the kernel calls LSM programs; true also when it does not say.
  public static let lsm = lsmFeature()

  /// Whether programs run as machine code.
  public static let compiler = compilerFeature()

  /// Whether this process sees where the kernel's functions are, which naming kernel addresses takes.
  public static let addresses = KernelFeature(
    "kernel addresses", missing: KernelSymbols.areShown() ? nil : "/proc/kallsyms shows none, so they have no names",
    remedy: "sysctl kernel.kptr_restrict=0, or run as root (with CAP_SYSLOG where it is 1)", detail: "/proc/kallsyms")

  /// All features, for reports.
  public static var all: [KernelFeature] {
    [
      typeInformation, compiler, ringBuffers, kprobes, kprobeMulti, fentry, overrides, uprobes, hardwareCounters,
      iterators,
      tcx, mapBatches, lsm, addresses,
    ]
  }

  /// The lockdown mode (`integrity`, `confidentiality`), which forbids what could change the kernel; nil for none, and
  /// when this process can't find out.
  public static let lockdown: String? = {
    let mode = SecurityFiles.lockdown()
    return mode == "none" ? nil : mode
  }()

  static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }

}
