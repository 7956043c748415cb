import CLibbpf
import Glibc
import Support

// The kinds of programs that are tried. Targets are places that every kernel has and that are rarely passed.
extension AttachTrial {
  /// Programs that watch: the kinds of SPEC §3.
  static func tracing() -> [AttachTrial] {
    kernelEvents + kernelFunctions + userCode() + clocks
  }

  private static let kernelEvents = [
    AttachTrial(
      name: "tracepoint", section: "tp/sched/sched_process_exit",
      needs: "CONFIG_PERF_EVENTS=y and CONFIG_BPF_EVENTS=y"),
    AttachTrial(
      name: "tracepoint:syscalls", section: "tp/syscalls/sys_enter_getpgid", needs: "CONFIG_FTRACE_SYSCALLS=y",
      call: callKernel),
    AttachTrial(
      name: "rawtracepoint", section: "raw_tp/sched_process_exit", needs: "CONFIG_BPF_EVENTS=y (Linux 4.17)"),
    AttachTrial(
      name: "tp_btf", section: "tp_btf/sched_process_exit", needs: "CONFIG_DEBUG_INFO_BTF=y (Linux 5.5)"),
    AttachTrial(name: "iter:task", section: "iter/task", needs: "CONFIG_DEBUG_INFO_BTF=y (Linux 5.8)"),
  ]

  private static let kernelFunctions = [
    AttachTrial(name: "kprobe", section: "kprobe/\(function)", needs: "CONFIG_KPROBE_EVENTS=y"),
    AttachTrial(name: "kretprobe", section: "kretprobe/\(function)", needs: "CONFIG_KRETPROBES=y"),
    AttachTrial(
      name: "kprobe.multi", section: "kprobe.multi/\(function)", needs: "CONFIG_FPROBE=y (Linux 5.18)"),
    AttachTrial(name: "ksyscall", section: "ksyscall/getpgid", needs: "CONFIG_KPROBE_EVENTS=y", call: callKernel),
    AttachTrial(
      name: "kretsyscall", section: "kretsyscall/getpgid", needs: "CONFIG_KRETPROBES=y", call: callKernel),
    AttachTrial(name: "fentry", section: "fentry/\(function)", needs: trampolines),
    AttachTrial(name: "fexit", section: "fexit/\(function)", needs: trampolines),
  ]

  /// A function that the kernel has for tests of BPF only.
  private static let function = "bpf_fentry_test1"
  private static let trampolines = "CONFIG_DEBUG_INFO_BTF=y and CONFIG_FUNCTION_TRACER=y (Linux 5.5)"

  private static let callKernel: @Sendable () -> Void = { _ = getpgid(getpid()) }

  private static func userCode() -> [AttachTrial] {
    let place = AttachSpec.UserLocation.symbol("getdtablesize", offset: 0)
    let call: @Sendable () -> Void = { _ = getdtablesize() }
    let needs = "CONFIG_UPROBE_EVENTS=y"
    return [
      AttachTrial(
        name: "uprobe", section: "uprobe", spec: .userProbe(binary: "libc", location: place, isReturn: false),
        isOwn: true, needs: needs, call: call),
      AttachTrial(
        name: "uretprobe", section: "uretprobe", spec: .userProbe(binary: "libc", location: place, isReturn: true),
        isOwn: true, needs: needs, call: call),
      AttachTrial(
        name: "usdt", section: "usdt", spec: .usdt(binary: ownFile(), provider: "moontrace", name: "trial"),
        maps: usdtMaps, isOwn: true, needs: needs, call: { mt_trial_probe() }),
    ]
  }

  /// The file that our own USDT probe was loaded from.
  private static func ownFile() -> String {
    let probe: @convention(c) () -> Void = mt_trial_probe
    let address = UInt64(UInt(bitPattern: unsafeBitCast(probe, to: UnsafeRawPointer.self)))
    return MemoryMappings(process: getpid()).mapping(at: address)?.path ?? "/proc/self/exe"
  }

  /// What libbpf's usdt.c wants to find, with the sizes of usdt.bpf.h.
  private static let usdtMaps = [
    ObjectImage.Map(name: "__bpf_usdt_specs", type: .array, keySize: 4, valueSize: 208, maxEntries: 16),
    ObjectImage.Map(name: "__bpf_usdt_ip_to_spec_id", type: .hash, keySize: 8, valueSize: 4, maxEntries: 16),
  ]

  private static let clocks = [
    AttachTrial(name: "profile", section: "perf_event", spec: .profile(hertz: 99), needs: counters),
    AttachTrial(
      name: "interval", section: "perf_event", spec: .interval(nanoseconds: 1_000_000_000), needs: counters),
    sampled("software", SampledEvent.software, "page-faults", AttachSpec.software),
    sampled("hardware", SampledEvent.hardware, "cpu-cycles", AttachSpec.hardware),
  ].compactMap(\.self)

  private static let counters = "CONFIG_PERF_EVENTS=y and CONFIG_BPF_EVENTS=y"

  private static func sampled(
    _ name: String, _ events: [SampledEvent], _ event: String, _ spec: (SampledEvent, UInt64) -> AttachSpec
  ) -> AttachTrial? {
    events.first { $0.name == event }.map { event in
      AttachTrial(name: name, section: "perf_event", spec: spec(event, 1_000_000_000), needs: counters)
    }
  }

  /// Programs that decide: what happens to packets, and what is permitted (SPEC §4). These let everything pass.
  static func deciding() -> [AttachTrial] {
    [
      AttachTrial(
        name: "xdp", section: "xdp", spec: .xdp(interface: "lo"), answer: 2, isOnOwnNetwork: true,
        needs: "CONFIG_BPF_SYSCALL=y (Linux 5.9)"),
      AttachTrial(
        name: "tc", section: "tc", spec: .trafficControl(interface: "lo", direction: .ingress), isOnOwnNetwork: true,
        needs: "CONFIG_NET_CLS_BPF and CONFIG_NET_SCH_INGRESS, or tcx links (Linux 6.6)"),
      AttachTrial(
        name: "netfilter", section: "netfilter", spec: .netfilter(NetfilterHook(family: .ipv4, point: .localIn)),
        answer: 1, isOnOwnNetwork: true, needs: "CONFIG_NETFILTER_BPF_LINK=y (Linux 6.4)"),
      AttachTrial(
        name: "cgroup", section: "cgroup_skb/egress", spec: .cgroup(path: ownGroup()), answer: 1,
        needs: "CONFIG_CGROUP_BPF=y, and: mount -t cgroup2 cgroup2 /sys/fs/cgroup"),
      AttachTrial(
        name: "lsm", section: "lsm/task_getpgid", needs: "CONFIG_BPF_LSM=y, booted with bpf in lsm=",
        call: callKernel),
    ]
  }

  /// A filter on a socket that nobody sends to.
  static func socket(_ descriptor: Int32) -> AttachTrial {
    AttachTrial(
      name: "socket", section: "socket", spec: .socket(.descriptor(descriptor)), needs: "CONFIG_NET=y")
  }

  /// The directory of this process's group in the version 2 hierarchy, or its root when the group is outside of what is
  /// mounted here.
  private static func ownGroup() -> String {
    let root = Mounts.now().first("cgroup2") ?? "/sys/fs/cgroup"
    let groups = (try? readFile("/proc/self/cgroup")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let own = groups.split(separator: "\n").first { $0.hasPrefix("0::") }?.dropFirst(3) ?? ""
    return KernelFeatures.exists(root + own) ? root + own : root
  }
}
