import Glibc
import KernelLoader
import Support

/// Something that a test needs, asked for by its name: `.requires(.root, .kprobes)`.
public struct Need: Sendable {
  /// Who decides whether it is there.
  enum Owner {
    /// The kernel that runs: what it lacks can't be tested under it.
    case kernel
    /// The one who set the machine up: in CI it must be there.
    case machine
  }

  let name: String
  let owner: Owner
  /// Why it is not there; nil when it is.
  let problem: String?

  init(_ name: String, _ owner: Owner, missing problem: String?) {
    self.name = name
    self.owner = owner
    self.problem = problem
  }

  /// A feature of the kernel, with the reason that Moontrace itself gives its users.
  init(_ feature: KernelFeature) {
    self.init(feature.name, .kernel, missing: feature.reason)
  }
}

// What the kernel decides.
extension Need {
  public static let kprobes = Need(KernelFeatures.kprobes)
  public static let kprobeMulti = Need(KernelFeatures.kprobeMulti)
  public static let fentry = Need(KernelFeatures.fentry)
  public static let overrides = Need(KernelFeatures.overrides)
  public static let lsm = Need(KernelFeatures.lsm)
  public static let hardwareCounters = Need(KernelFeatures.hardwareCounters)
  public static let ringBuffers = Need(KernelFeatures.ringBuffers)
  public static let iterators = Need(KernelFeatures.iterators)
  public static let tcx = Need(KernelFeatures.tcx)
  public static let netfilter = Need(KernelFeatures.netfilter)
  public static let structOpsLinks = Need(KernelFeatures.structOpsLinks)
  public static let typeInformation = Need(KernelFeatures.typeInformation)

  /// Types and functions of a module: of overlay, because it is loaded wherever the root file system is one.
  public static let moduleTypes = Need(
    "module BTF", .kernel,
    missing: access("/sys/kernel/btf/overlay", F_OK) == 0 ? nil : "the overlay module is not loaded, or has no BTF")
}

// What the machine has.
extension Need {
  public static let root = Need("root", .machine, missing: geteuid() == 0 ? nil : "this is another user")

  /// A processor that runs at its own speed: what is measured by time means nothing under emulation (scripts/test).
  public static let nativeSpeed = Need(
    "native speed", .kernel, missing: getenv("MOONTRACE_TEST_EMULATED") == nil ? nil : "the processor is emulated")

  /// By how much tests of many cases try fewer under emulation.
  public static var slowdown: Int { nativeSpeed.problem == nil ? 1 : 5 }

  public static let clang = Need(
    "clang", .machine,
    missing: system("clang --print-targets 2>/dev/null | grep -q '^ *bpf '") == 0
      ? nil : "there is none with the bpf target on PATH")

  public static let tmux = Need(
    "tmux", .machine, missing: system("command -v tmux >/dev/null") == 0 ? nil : "tmux is not installed")

  public static let usdtHeader = Need(
    "sys/sdt.h", .machine,
    missing: access("/usr/include/x86_64-linux-gnu/sys/sdt.h", F_OK) == 0 ? nil : "systemtap-sdt-dev is not installed")
}
