import BPFAssembly
import CLibbpf
import Glibc
import Support

// How features are probed.
extension KernelFeatures {
  /// Attach types newer than the installed linux/bpf.h.
  enum TrafficLink {
    static let ingress = bpf_attach_type(rawValue: 46)
    static let egress = bpf_attach_type(rawValue: 47)
  }

  private static let name = "moontrace_probe"

  /// Loads a program that does nothing; a negative errno when that fails.
  private static func load(_ type: bpf_prog_type, _ options: inout bpf_prog_load_opts) -> Int32 {
    options.sz = optionsSize(upTo: \bpf_prog_load_opts.attach_btf_obj_fd)
    return Instruction.returning(0).withUnsafeBytes { code in
      LibbpfLog.capture {
        bpf_prog_load(
          type, name, "GPL", code.baseAddress?.assumingMemoryBound(to: bpf_insn.self), code.count / 8, &options)
      }.result
    }
  }

  /// A feature that a file of sysfs stands for.
  static func onFile(
    _ name: String, _ path: String, otherwise reason: String, remedy: String, detail: String? = nil
  ) -> KernelFeature {
    if exists("/sys/kernel") {
      return KernelFeature(name, missing: exists(path) ? nil : reason, remedy: remedy, detail: detail)
    }
    return KernelFeature(name, missing: "/sys is not mounted", remedy: "mount -t sysfs sysfs /sys")
  }

  // MARK: Programs

  static func fentryFeature() -> KernelFeature {
    guard typeInformation.isAvailable else {
      return KernelFeature("fentry and fexit", missing: typeInformation.reason, remedy: KernelTypes.ownRemedy)
    }
    let missing = "it has no BPF trampolines (CONFIG_FUNCTION_TRACER is off, or it is older than 5.5)"
    return KernelFeature(
      "fentry and fexit",
      Probe(
        result: attach(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, to: "bpf_fentry_test1"),
        meaning: [ESRCH: missing, notSupported: missing]),
      remedy: "use tp_btf, a tracepoint or rawtracepoint")
  }

  /// ENOTSUPP (linux/errno.h of the kernel itself), which is not for users but reaches them.
  private static let notSupported: Int32 = 524

  /// Attaches a program that does nothing to a function that can do with it, and detaches; 0 or a negative errno.
  private static func attach(_ type: bpf_prog_type, _ kind: bpf_attach_type, to name: String) -> Int32 {
    let function = LibbpfLog.capture { libbpf_find_vmlinux_btf_id(name, kind) }.result
    if function <= 0 { return -ESRCH }
    var options = bpf_prog_load_opts()
    options.expected_attach_type = kind
    options.attach_btf_id = UInt32(function)
    let loaded = load(type, &options)
    if loaded < 0 { return loaded }
    let program = OwnedDescriptor(loaded)
    let attached = LibbpfLog.capture { bpf_raw_tracepoint_open(nil, program.number) }.result
    if attached >= 0 { close(attached) }
    return min(attached, 0)
  }

  static func overrideFeature() -> KernelFeature {
    let (name, remedy) = ("override of results", "use a kernel with CONFIG_BPF_KPROBE_OVERRIDE=y")
    if let reason = kprobes.reason { return KernelFeature(name, missing: reason, remedy: remedy) }
    let trial = HelperTrial(name: name, number: Helper.overrideReturn.rawValue, section: "kprobe", since: "4.16").run()
    return KernelFeature(
      name, missing: trial.isAvailable ? nil : "CONFIG_BPF_KPROBE_OVERRIDE is off", remedy: remedy)
  }

  static func kprobeMultiFeature() -> KernelFeature {
    let remedy = "use kprobe, one function at a time"
    if let reason = kprobes.reason { return KernelFeature("kprobe.multi", missing: reason, remedy: remedy) }
    let meaning = [EOPNOTSUPP: "CONFIG_FPROBE is off", EINVAL: "it is older than 5.18"]
    return KernelFeature("kprobe.multi", Probe(result: attachToFunctions(), meaning: meaning), remedy: remedy)
  }

  /// Attaches to a function by way of a list, and detaches; 0 or a negative errno.
  private static func attachToFunctions() -> Int32 {
    var options = bpf_prog_load_opts()
    options.expected_attach_type = BPF_TRACE_KPROBE_MULTI
    let loaded = load(BPF_PROG_TYPE_KPROBE, &options)
    if loaded < 0 { return loaded }
    let program = OwnedDescriptor(loaded)
    let attached = "vfs_read".withCString { function -> Int32 in
      var functions: [UnsafePointer<CChar>?] = [function]
      return functions.withUnsafeMutableBufferPointer { functions in
        var options = bpf_link_create_opts()
        options.sz = MemoryLayout<bpf_link_create_opts>.size
        options.kprobe_multi.syms = functions.baseAddress
        options.kprobe_multi.cnt = 1
        return LibbpfLog.capture { bpf_link_create(program.number, 0, BPF_TRACE_KPROBE_MULTI, &options) }.result
      }
    }
    if attached >= 0 { close(attached) }
    return min(attached, 0)
  }

  /// A kernel that has LSM programs but is told not to call them takes them all the same, so the list is asked first.
  static func lsmFeature() -> KernelFeature {
    let modules = SecurityFiles.modules() ?? ["bpf"]
    let list = modules.filter { $0 != "capability" }.joined(separator: ",")
    guard modules.contains("bpf") else {
      return KernelFeature(
        "BPF LSM programs", missing: "bpf is not in the kernel's lsm= list",
        remedy: "boot with lsm=\(list),bpf (and a kernel with CONFIG_BPF_LSM=y)")
    }
    return KernelFeature(
      "BPF LSM programs",
      Probe(
        result: attach(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, to: "task_getpgid"),
        meaning: [ESRCH: "CONFIG_BPF_LSM is off"]),
      remedy: "use a kernel with CONFIG_BPF_LSM=y")
  }

  /// Whether the kernel has compiled a program that it loaded; where none can be loaded, what the setting says.
  static func compilerFeature() -> KernelFeature {
    let setting = SystemFacts.setting("net/core/bpf_jit_enable")
    var options = bpf_prog_load_opts()
    let loaded = load(BPF_PROG_TYPE_SOCKET_FILTER, &options)
    // A kernel without interpreter has this function in its place (kernel/bpf/core.c, CONFIG_BPF_JIT_ALWAYS_ON).
    let isAlwaysOn = KernelTargets.hasFunction("__bpf_prog_ret0_warn")
    let isOn = isAlwaysOn || (loaded >= 0 ? isCompiled(OwnedDescriptor(loaded)) : setting != "0")
    return KernelFeature(
      "BPF JIT compiler",
      missing: isOn ? nil : setting == nil ? "CONFIG_BPF_JIT is off" : "net.core.bpf_jit_enable is 0",
      remedy: setting == nil
        ? "use a kernel with CONFIG_BPF_JIT=y; until then programs are interpreted, some ten times slower"
        : "sysctl net.core.bpf_jit_enable=1; until then programs are interpreted, some ten times slower",
      detail: isAlwaysOn ? "always on" : setting.map { "net.core.bpf_jit_enable=\($0)" } ?? "on")
  }

  private static func isCompiled(_ program: consuming OwnedDescriptor) -> Bool {
    var info = bpf_prog_info()
    var length = UInt32(MemoryLayout<bpf_prog_info>.size)
    return bpf_obj_get_info_by_fd(program.number, &info, &length) == 0 && info.jited_prog_len > 0
  }

  /// Links to an interface that is not there, which only kernels notice that know such links; 0 or a negative errno.
  static func linkTraffic() -> Int32 {
    var options = bpf_prog_load_opts()
    let loaded = load(BPF_PROG_TYPE_SCHED_CLS, &options)
    if loaded < 0 { return loaded }
    let program = OwnedDescriptor(loaded)
    let result = LibbpfLog.capture {
      bpf_link_create(program.number, Int32.max, TrafficLink.ingress, nil)
    }.result
    return result == -ENODEV ? 0 : result
  }

  // MARK: Maps

  /// Makes a ring buffer; 0 or a negative errno.
  static func createRing() -> Int32 {
    let created = LibbpfLog.capture { bpf_map_create(BPF_MAP_TYPE_RINGBUF, name, 0, 0, 4096, nil) }.result
    if created >= 0 { close(created) }
    return min(created, 0)
  }

  /// Reads a batch from an empty map, which says ENOENT; 0 or a negative errno.
  static func readBatch() -> Int32 {
    let created = LibbpfLog.capture { bpf_map_create(BPF_MAP_TYPE_HASH, name, 4, 4, 1, nil) }.result
    if created < 0 { return created }
    let map = OwnedDescriptor(created)
    var (cursor, key, value, count) = (UInt32(0), UInt32(0), UInt32(0), UInt32(1))
    let result = MapOperations.batch(map.number, false, nil, &cursor, &key, &value, &count)
    return result == -ENOENT ? 0 : result
  }

  // MARK: Counters

  static func hardwareFeature() -> KernelFeature {
    let cycles = UInt64(PERF_COUNT_HW_CPU_CYCLES.rawValue)
    var attributes = PerfEvent.attributes(type: PERF_TYPE_HARDWARE, config: cycles)
    let event = mt_perf_event_open(&attributes, 0, -1)
    let result = event >= 0 ? 0 : -errno
    if event >= 0 { close(event) }
    let none = "the CPU offers none here, as in most virtual machines"
    return KernelFeature(
      "hardware counters", Probe(result: result, meaning: [ENOENT: none, EOPNOTSUPP: none]),
      remedy: "use software:cpu-clock or profile:HZ")
  }
}
