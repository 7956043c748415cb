import BPFAssembly
import CLibbpf
import Glibc
import Support

// Attachments to places in the kernel's code.
extension Attachment {
  func tracepoint(_ category: String, _ name: String) throws(MoontraceError) -> Link.Part {
    guard try Tracefs.has(category, name) else { throw try Tracefs.missing(category, name) }
    return try libbpf { bpf_program__attach_tracepoint(program.pointer, category, name) }
  }

  func rawTracepoint(_ name: String) throws(MoontraceError) -> Link.Part {
    try libbpf(
      explain: { failure in
        guard failure.number == ENOENT else { return nil }
        let hint = suggestionHint(for: name, in: KernelTargets.rawTracepoints())
        return MoontraceError(.unsupported, "this kernel has no raw tracepoint '\(name)'\(hint)")
      },
      { bpf_program__attach_raw_tracepoint(program.pointer, name) })
  }

  /// A refusal here is the kernel's configuration speaking, so the feature is asked.
  func kernelFunction() throws(MoontraceError) -> Link.Part {
    try libbpf(
      explain: { _ in KernelFeatures.fentry.isAvailable ? nil : Self.missing(KernelFeatures.fentry) },
      { bpf_program__attach_trace(program.pointer) })
  }

  func kernelProbe(_ function: String, _ offset: Int, _ isReturn: Bool) throws(MoontraceError) -> Link.Part {
    if isMulti { return try kernelProbes(function, offset, isReturn) }
    try require(KernelFeatures.kprobes)
    var options = bpf_kprobe_opts()
    options.sz = optionsSize(upTo: \bpf_kprobe_opts.retprobe)
    options.offset = offset
    options.retprobe = isReturn
    return try libbpf(explain: { missingFunction($0, function) ?? missingPlace($0, function, offset) }) {
      bpf_program__attach_kprobe_opts(program.pointer, function, &options)
    }
  }

  /// One link for the starts or ends of many functions. libbpf's own search for a pattern takes functions that can't
  /// be traced too, for which the kernel refuses them all.
  func kernelProbes(_ targets: [AttachSpec]) throws(MoontraceError) -> Link.Part {
    try require(KernelFeatures.kprobeMulti)
    var options = bpf_kprobe_multi_opts()
    options.sz = optionsSize(upTo: \bpf_kprobe_multi_opts.retprobe)
    if case .kernelProbe(_, _, let isReturn) = spec { options.retprobe = isReturn }
    var names: [UnsafePointer<CChar>?] = targets.map { target in
      guard case .kernelProbe(let function, _, _) = target else { return nil }
      return UnsafePointer(strdup(function))
    }
    defer { for name in names { free(UnsafeMutableRawPointer(mutating: name)) } }
    options.cnt = names.count
    return try names.withUnsafeMutableBufferPointer { names throws(MoontraceError) in
      options.syms = names.baseAddress
      return try libbpf { bpf_program__attach_kprobe_multi_opts(program.pointer, nil, &options) }
    }
  }

  func systemCall(_ name: String, _ isReturn: Bool) throws(MoontraceError) -> Link.Part {
    try require(KernelFeatures.kprobes)
    var options = bpf_ksyscall_opts()
    options.sz = optionsSize(upTo: \bpf_ksyscall_opts.retprobe)
    options.retprobe = isReturn
    return try libbpf(explain: { missingCall($0, name) }) {
      bpf_program__attach_ksyscall(program.pointer, name, &options)
    }
  }

  private var isMulti: Bool {
    bpf_program__expected_attach_type(program.pointer) == BPF_TRACE_KPROBE_MULTI
  }

  /// One link to all functions that match a pattern.
  private func kernelProbes(_ pattern: String, _ offset: Int, _ isReturn: Bool) throws(MoontraceError) -> Link.Part {
    try require(KernelFeatures.kprobeMulti)
    guard offset == 0 else {
      throw MoontraceError(
        .usage, "a kprobe.multi program is attached to functions, not inside them", remedy: "use kprobe")
    }
    let names = KernelTargets.probeableFunctions().filter(Glob(pattern).matches)
    let missing = KernelFailure(number: ENOENT)
    if names.isEmpty { throw missingFunction(missing, pattern) ?? failure(missing) }
    return try kernelProbes(Set(names).map { .kernelProbe(function: $0, offset: 0, isReturn: isReturn) })
  }

  private func missingPlace(_ failure: KernelFailure, _ function: String, _ offset: Int) -> MoontraceError? {
    switch failure.number {
    case EILSEQ: MoontraceError(.usage, "no instruction starts at \(function)+\(offset)")
    case EADDRNOTAVAIL: MoontraceError(.unsupported, "this kernel has several functions called '\(function)'")
    case EINVAL where program.helperIDs.contains(Helper.overrideReturn.rawValue):
      MoontraceError(
        .unsupported, "this kernel doesn't let '\(function)' be overridden",
        remedy: "/sys/kernel/debug/error_injection/list names the functions that it does")
    case EINVAL where offset == 0:
      MoontraceError(.unsupported, "this kernel allows no probe in '\(function)'", remedy: "probe one of its callers")
    default: nil
    }
  }

  private func missingFunction(_ failure: KernelFailure, _ name: String) -> MoontraceError? {
    guard failure.number == ENOENT else { return nil }
    let hint = suggestionHint(for: name, in: KernelTargets.functions())
    return MoontraceError(.unsupported, "this kernel has no function '\(name)' that can be probed\(hint)")
  }

  private func missingCall(_ failure: KernelFailure, _ name: String) -> MoontraceError? {
    guard failure.number == ENOENT else { return nil }
    let hint = suggestionHint(for: name, in: KernelTargets.systemCalls())
    return MoontraceError(.unsupported, "this kernel has no system call '\(name)'\(hint)")
  }

  /// One perf event on each CPU, or on one for intervals, or wherever the process runs.
  func perfEvents() throws(MoontraceError) -> [Link.Part] {
    guard let attributes = PerfEvent.attributes(for: spec) else { return [] }
    var places = PerfEvent.onlineCPUs()
    if case .interval = spec { places = Array(places.prefix(1)) }
    if pid != nil { places = [-1] }
    let parts = Parts()
    for cpu in places { parts.list.append(try perfEvent(attributes, cpu)) }
    return parts.take()
  }

  private func perfEvent(_ attributes: perf_event_attr, _ cpu: Int32) throws(MoontraceError) -> Link.Part {
    do throws(KernelFailure) {
      let event = try PerfEvent.open(attributes, process: pid ?? -1, cpu: cpu)
      let link = try checkLibbpf { bpf_program__attach_perf_event(program.pointer, event.number) }
      _ = event.take()  // the link closes it
      return .libbpf(link)
    } catch {
      if attributes.type == PERF_TYPE_HARDWARE.rawValue, !KernelFeatures.hardwareCounters.isAvailable {
        throw Self.missing(KernelFeatures.hardwareCounters)
      }
      if error.number == ESRCH, let pid { throw MoontraceError(.usage, "there is no process \(pid)") }
      throw failure(error)
    }
  }
}

/// Parts of an attachment in the making: those that are left when it fails are ended.
private final class Parts {
  var list: [Link.Part] = []

  func take() -> [Link.Part] {
    defer { list = [] }
    return list
  }

  deinit {
    for part in list { Link.end(part) }
  }
}
