import BPFAssembly
import BTF
import CLibbpf
import Glibc
import Support

/// What the running kernel can do, each probed once a process when first asked.
public enum KernelFeatures {
  public static let kprobes = KernelFeature(
    "kprobes", missing: exists(eventSource + "kprobe") ? nil : "CONFIG_KPROBES is off",
    alternative: "use a tracepoint or rawtracepoint")

  public static let uprobes = KernelFeature(
    "uprobes", missing: exists(eventSource + "uprobe") ? nil : "CONFIG_UPROBES is off")

  /// Whether programs can be attached to the entry and exit of kernel functions.
  public static let fentry = KernelFeature(
    "fentry and fexit", missing: fentryProblem(), alternative: "use tp_btf, a tracepoint or rawtracepoint")

  public static let ringBuffers = KernelFeature(
    "BPF ring buffers", missing: has(BPF_MAP_TYPE_RINGBUF) ? nil : "it is older than 5.8",
    alternative: "use a perf event array")

  public static let iterators = KernelFeature(
    "BPF iterators",
    missing: (try? KernelTypes.graph())?.find("bpf_iter_task", .function) == nil ? "it is older than 5.8" : nil)

  /// Attachments to tc that end with the process.
  public static let tcx = KernelFeature(
    "tcx links", missing: knowsAttachType(TrafficLink.ingress) ? nil : "it is older than 6.6",
    alternative: "tc filters, which survive SIGKILL, are used instead")

  public static let mapBatches = KernelFeature("map batches", missing: hasBatches() ? nil : "it is older than 5.6")

  public static let typeInformation = KernelFeature(
    "BTF type information", missing: exists(KernelTypes.path) ? nil : "CONFIG_DEBUG_INFO_BTF is off")

  /// Performance counters of the CPU itself.
  public static let hardwareCounters = KernelFeature(
    "hardware counters", missing: hasHardwareCounters() ? nil : "the CPU offers none here, as in most virtual machines",
    alternative: "use software:cpu-clock or profile:HZ")

  public static let lsm = KernelFeature(
    "BPF LSM programs", missing: hasSecurityModule() ? nil : "bpf is not in the kernel's lsm= list")

  /// All features, for reports.
  public static var all: [KernelFeature] {
    [
      typeInformation, ringBuffers, kprobes, fentry, uprobes, hardwareCounters, iterators, tcx, mapBatches, lsm,
    ]
  }

  /// The lockdown mode (`integrity`, `confidentiality`), which forbids what could change the kernel; nil for none.
  public static let lockdown: String? = {
    guard let bytes = try? readFile("/sys/kernel/security/lockdown") else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let open = text.firstIndex(of: "["), let close = text.firstIndex(of: "]") else { return nil }
    let mode = String(text[text.index(after: open)..<close])
    return mode == "none" ? nil : mode
  }()
}

// How features are probed.
extension KernelFeatures {
  private static let eventSource = "/sys/bus/event_source/devices/"

  /// Attach types newer than the installed linux/bpf.h.
  enum TrafficLink {
    static let ingress = bpf_attach_type(rawValue: 46)
    static let egress = bpf_attach_type(rawValue: 47)
  }

  static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }

  private static func has(_ type: bpf_map_type) -> Bool {
    LibbpfLog.capture { libbpf_probe_bpf_map_type(type, nil) }.result > 0
  }

  /// `r0 = 0; exit`
  private static let nothing = [Instruction(code: 0xb7), Instruction(code: 0x95)]

  /// Loads a program that does nothing; a negative errno when that fails.
  private static func load(_ type: bpf_prog_type, _ options: inout bpf_prog_load_opts) -> Int32 {
    options.sz = optionsSize(upTo: \bpf_prog_load_opts.attach_btf_obj_fd)
    return nothing.withUnsafeBytes { code in
      LibbpfLog.capture {
        bpf_prog_load(
          type, "moontrace_probe", "GPL", code.baseAddress?.assumingMemoryBound(to: bpf_insn.self), code.count / 8,
          &options)
      }.result
    }
  }

  private static func fentryProblem() -> String? {
    guard typeInformation.isAvailable else { return typeInformation.reason }
    let function = LibbpfLog.capture { libbpf_find_vmlinux_btf_id("bpf_fentry_test1", BPF_TRACE_FENTRY) }.result
    if function <= 0 { return "it has no BPF trampolines" }
    var options = bpf_prog_load_opts()
    options.expected_attach_type = BPF_TRACE_FENTRY
    options.attach_btf_id = UInt32(function)
    let loaded = load(BPF_PROG_TYPE_TRACING, &options)
    if loaded < 0 { return refusal(loaded) }
    let program = OwnedDescriptor(loaded)
    let attached = LibbpfLog.capture { bpf_raw_tracepoint_open(nil, program.number) }.result
    if attached >= 0 {
      close(attached)
      return nil
    }
    return refusal(attached)
  }

  private static func refusal(_ result: Int32) -> String {
    guard result == -EPERM || result == -EACCES else { return errnoText(-result) }
    return lockdown.map { "the kernel forbids it (lockdown=\($0))" } ?? "the kernel forbids it"
  }

  /// An unknown attach type is EINVAL; a known one fails for its missing interface.
  private static func knowsAttachType(_ type: bpf_attach_type) -> Bool {
    var options = bpf_prog_load_opts()
    let loaded = load(BPF_PROG_TYPE_SCHED_CLS, &options)
    guard loaded >= 0 else { return false }
    let program = OwnedDescriptor(loaded)
    return LibbpfLog.capture { bpf_link_create(program.number, Int32.max, type, nil) }.result == -ENODEV
  }

  private static func hasBatches() -> Bool {
    let created = LibbpfLog.capture { bpf_map_create(BPF_MAP_TYPE_HASH, "moontrace_probe", 4, 4, 1, nil) }.result
    guard created >= 0 else { return false }
    let map = OwnedDescriptor(created)
    var (cursor, key, value, count) = (UInt32(0), UInt32(0), UInt32(0), UInt32(1))
    return MapOperations.batch(map.number, false, nil, &cursor, &key, &value, &count) == -ENOENT
  }

  private static func hasHardwareCounters() -> Bool {
    var attributes = PerfEvent.attributes(type: PERF_TYPE_HARDWARE, config: UInt64(PERF_COUNT_HW_CPU_CYCLES.rawValue))
    let event = mt_perf_event_open(&attributes, 0, -1)
    if event >= 0 { close(event) }
    return event >= 0
  }

  private static func hasSecurityModule() -> Bool {
    let list = (try? readFile("/sys/kernel/security/lsm")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return list.split(whereSeparator: { $0 == "," || $0 == "\n" }).contains("bpf")
  }
}
