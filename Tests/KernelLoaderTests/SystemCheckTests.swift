import CLibbpf
import Glibc
import KernelTestSupport
import Support
import Testing

@testable import KernelLoader

/// What the doctor says is so.
@Suite(.serialized, .requires(.root)) struct SystemCheckTests {
  private static let groups = SystemCheck.run()

  private func answer(_ name: String) throws -> KernelFeature {
    try #require(Self.groups.flatMap(\.checks).first { $0.name == name }, "no check '\(name)'")
  }

  @Test func everyNoSaysWhyAndWhatToDo() {
    let checks = Self.groups.flatMap(\.checks)
    #expect(Set(checks.map(\.name)).count == checks.count)
    for check in checks {
      #expect(check.isAvailable == (check.reason == nil) && check.isAvailable == (check.remedy == nil), "\(check)")
      #expect(check.isAvailable || check.detail == nil)
      #expect(check.reason?.contains("trial") != true || check.name == "usdt", "\(check)")
    }
  }

  @Test(arguments: [
    ("btf", KernelFeatures.typeInformation), ("ringbuf", KernelFeatures.ringBuffers),
    ("batches", KernelFeatures.mapBatches), ("iter:task", KernelFeatures.iterators),
    ("kprobe", KernelFeatures.kprobes), ("kretprobe", KernelFeatures.kprobes), ("ksyscall", KernelFeatures.kprobes),
    ("fentry", KernelFeatures.fentry), ("fexit", KernelFeatures.fentry), ("uprobe", KernelFeatures.uprobes),
    ("uretprobe", KernelFeatures.uprobes), ("usdt", KernelFeatures.uprobes), ("tcx", KernelFeatures.tcx),
    ("netfilter", KernelFeatures.netfilter),
    ("hardware", KernelFeatures.hardwareCounters),
  ])
  func trialsAgreeWithFeatures(name: String, feature: KernelFeature) throws {
    let trial = try answer(name)
    #expect(trial.isAvailable == feature.isAvailable, "\(trial)")
    if let reason = feature.reason { #expect(trial.reason?.hasSuffix(reason) == true) }
  }

  @Test(arguments: [
    ("tracepoint", "tp/sched/sched_switch", nil), ("rawtracepoint", "raw_tp/sched_switch", nil),
    ("kprobe", "kprobe/do_unlinkat", nil), ("kretprobe", "kretprobe/do_unlinkat", nil),
    ("kprobe.multi", "kprobe.multi/do_unlinkat", nil), ("ksyscall", "ksyscall/getppid", nil),
    ("tp_btf", "tp_btf/sched_switch", nil), ("fentry", "fentry/do_unlinkat", nil), ("fexit", "fexit/do_unlinkat", nil),
    ("lsm", "lsm/file_open", nil), ("iter:task", "iter/task", nil), ("profile", "perf_event", "profile:99"),
    ("software", "perf_event", "software:page-faults"), ("hardware", "perf_event", "hardware:cpu-cycles"),
    ("uprobe", "uprobe", "uprobe:libc:malloc"), ("uretprobe", "uretprobe", "uretprobe:libc:malloc"),
  ])
  func compiledProgramsFareAsTheTrials(name: String, section: String, spec: String?) throws {
    let source = "SEC(\"\(section)\") int f(void *ctx) { return 0; }"
    let object = try Workshop.open("fares_\(name.filter(\.isLetter))", source)
    defer { object.close() }
    let works: Bool
    do {
      try object.load()
      let link = try #require(object.program("f")).attach(to: spec.map { try AttachSpec($0) })
      works = link.isAttached
      link.detach()
    } catch let error as MoontraceError {
      print("\(name): \(error)")
      works = false
    }
    #expect(try answer(name).isAvailable == works)
  }

  @Test func aProgramThatIsNeverCalledDoesNotWork() throws {
    let trial = AttachTrial(
      name: "idle", section: "tp/syscalls/sys_enter_reboot", needs: "magic", call: { _ = getpgid(getpid()) })
    let answer = trial.run()
    #expect(answer.reason == "it can be attached, but the kernel never calls it")
    #expect(answer.remedy == "use a kernel with magic")
  }

  @Test func nothingStaysLoaded() {
    _ = SystemCheck.run()
    #expect(Kernel.waitUntil { !Kernel.programNames().contains("trial_\(getpid())") })
  }

  @Test func helpersThatNoKernelHas() {
    let helper = HelperTrial(name: "bpf_nothing", number: 9999, since: "9.9").run()
    #expect(helper.reason == "the kernel does not have it" && helper.remedy == "use Linux 9.9 or newer")
  }

  @Test func addressesAreShownOrHidden() {
    #expect(KernelSymbols.areShown() == !KernelSymbols().areHidden)
  }

  @Test func facts() throws {
    let facts = SystemFacts.read()
    #expect(facts.release == String(decoding: try readFile("/proc/sys/kernel/osrelease").dropLast(), as: UTF8.self))
    #expect(facts.user == 0 && !facts.architecture.isEmpty)
    #expect(facts.lockdown.map { ["none", "integrity", "confidentiality"].contains($0) } ?? true)
    #expect(SystemFacts.setting("no/such") == nil)
  }
}

/// The parts that need no kernel.
@Suite struct SystemCheckPureTests {
  @Test func mounts() {
    let mounts = Mounts(
      text: """
        none /sys/kernel/tracing tracefs rw 0 0
        broken
        cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
        cgroup2 /elsewhere cgroup2 rw 0 0
        """)
    #expect(mounts.first("cgroup2") == "/sys/fs/cgroup/unified" && mounts.first("bpf") == nil)
    #expect(mounts.contains("tracefs", at: "/sys/kernel/tracing") && !mounts.contains("tracefs", at: "/elsewhere"))
  }

  @Test func coveredCapabilities() {
    #expect(ProcessCapability.bpf.isCovered(by: [.systemAdministration]))
    #expect(ProcessCapability.performanceMonitoring.isCovered(by: [.performanceMonitoring]))
    #expect(!ProcessCapability.networkAdministration.isCovered(by: [.systemAdministration]))
    #expect(!ProcessCapability.bpf.isCovered(by: [.performanceMonitoring]))
  }

  @Test func featuresKeepWhatApplies() {
    let missing = KernelFeature("x", missing: "why", remedy: "do", detail: "found")
    #expect(missing.reason == "why" && missing.remedy == "do" && missing.detail == nil)
    let there = KernelFeature("x", missing: nil, remedy: "do", detail: "found")
    #expect(there.isAvailable && there.remedy == nil && there.detail == "found")
  }

  @Test func meaningsOfNumbers() {
    let old = Probe(result: -EINVAL, meaning: [EINVAL: "too old"])
    #expect(old.reason == "too old" && old.remedy(otherwise: "update") == "update")
    #expect(Probe(result: 3, meaning: [:]).reason == nil)
    #expect(Probe(result: -ENOMEM, meaning: [:]).reason == "Cannot allocate memory")
  }
}
