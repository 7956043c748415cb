import Glibc
import Support

/// What this kernel and this process can do for tracing, all of it tried.
///
/// ```swift
/// for group in SystemCheck.run() {
///   for check in group.checks where !check.isAvailable { print(check.name, check.reason ?? "") }
/// }
/// ```
public enum SystemCheck {
  /// Checks that belong together.
  public struct Group: Sendable {
    /// `kernel`, `capabilities`, `files`, `maps`, `tracing`, `deciding` or `helpers`.
    public let name: String
    public let checks: [KernelFeature]

    public init(name: String, checks: [KernelFeature]) {
      self.name = name
      self.checks = checks
    }
  }

  /// Makes all checks, which takes some tenths of a second. Nothing stays loaded or attached; tracefs stays mounted.
  public static func run() -> [Group] {
    let files = fileSystems()  // before the trials mount one
    let tracing = AttachTrial.tracing()
    let deciding = AttachTrial.deciding()
    let answers = answers(tracing + deciding)
    return [
      Group(
        name: "kernel",
        checks: [
          KernelFeatures.typeInformation.named("btf"), KernelFeatures.compiler.named("jit"),
          KernelFeatures.addresses.named("kallsyms"),
        ]),
      Group(name: "capabilities", checks: capabilities()),
      Group(name: "files", checks: files),
      Group(
        name: "maps",
        checks: [KernelFeatures.ringBuffers.named("ringbuf"), KernelFeatures.mapBatches.named("batches")]),
      Group(name: "tracing", checks: Array(answers.prefix(tracing.count))),
      Group(name: "deciding", checks: answers.dropFirst(tracing.count) + [socket(), KernelFeatures.tcx.named("tcx")]),
      Group(name: "helpers", checks: HelperTrial.all.map { $0.run() }),
    ]
  }

  /// The answers in the trials' order.
  ///
  /// Detaching waits for all CPUs, so trials have threads of their own and wait together. Only those that rewrite the
  /// kernel's code take turns, to be easy on it: users attach such programs one by one too.
  private static func answers(_ trials: [AttachTrial]) -> [KernelFeature] {
    let queues = [trials.filter(\.rewritesKernel)] + trials.filter { !$0.rewritesKernel }.map { [$0] }
    let answers = concurrently(queues) { queue in queue.map { $0.run() } }.flatMap(\.self)
    return trials.compactMap { trial in answers.first { $0.name == trial.name } }
  }

  private static func socket() -> KernelFeature {
    let opened = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard opened >= 0 else { return KernelFeature("socket", missing: "no socket: \(errnoText(errno))") }
    let socket = OwnedDescriptor(opened)
    return AttachTrial.socket(socket.number).run()
  }

  private static func capabilities() -> [KernelFeature] {
    let held = ProcessCapability.effective()
    let isRoot = geteuid() == 0
    return ProcessCapability.allCases.map { capability in
      KernelFeature(
        capability.description,
        missing: capability.isCovered(by: held) ? nil : "missing: it \(capability.purpose)",
        remedy: isRoot
          ? "give it to this container or service" : "run as root, or give it to the executable with setcap(8)",
        detail: held.contains(capability) ? nil : "contained in CAP_SYS_ADMIN")
    }
  }

  private static func fileSystems() -> [KernelFeature] {
    let mounts = Mounts.now()
    return [
      tracefs(),
      mount(mounts, "bpf", named: "bpffs", at: "/sys/fs/bpf"),
      mount(mounts, "debugfs", named: "debugfs", at: "/sys/kernel/debug"),
    ]
  }

  /// Asked by using it: moontrace mounts it itself when it may.
  private static func tracefs() -> KernelFeature {
    let before = Tracefs.mounted
    do throws(MoontraceError) {
      let directory = try Tracefs.directory()
      return KernelFeature(
        "tracefs", missing: nil, detail: before ?? "\(directory), where it was not until now: moontrace mounts it")
    } catch {
      return KernelFeature("tracefs", missing: error.message, remedy: error.remedy)
    }
  }

  /// A file system that other tools use.
  private static func mount(_ mounts: Mounts, _ type: String, named name: String, at path: String) -> KernelFeature {
    let mounted = mounts.first(type)
    return KernelFeature(
      name, missing: mounted == nil ? "not mounted; moontrace does without it" : nil,
      remedy: "for other tools: mount -t \(type) \(name) \(path)", detail: mounted)
  }
}

extension KernelFeature {
  /// The same answer under another name.
  fileprivate func named(_ name: String) -> KernelFeature {
    KernelFeature(name, missing: reason, remedy: remedy, detail: detail)
  }
}
