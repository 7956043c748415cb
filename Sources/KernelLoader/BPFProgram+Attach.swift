import CLibbpf
import Glibc
import Support

extension BPFProgram {
  /// Attaches the program, which the object's load has put into the kernel.
  ///
  /// ```swift
  /// let link = try program.attach(to: AttachSpec("uprobe:libc:malloc"), pid: 4711)
  /// ```
  ///
  /// - Parameters:
  ///   - spec: what to attach to; nil for what its section says.
  ///   - pid: for uprobes, USDT, perf events and iterators over tasks: only in this process. Others see all processes.
  /// - Returns: the attachment; it ends when the link is let go of or the object is closed.
  /// - Throws: `.usage` when the target is not there, `.unsupported` when the kernel can't, `.notPermitted`.
  public func attach(to spec: AttachSpec? = nil, pid: Int32? = nil) throws(MoontraceError) -> Link {
    try handle.requireLoaded(subject)
    guard descriptor >= 0 else {
      throw MoontraceError(
        .usage, "\(handle.name): \(subject) is not loaded", remedy: "set its autoload before the object is loaded")
    }
    guard let spec = spec ?? AttachSpec(section: section) else { return try attachBySection() }
    do throws(MoontraceError) {
      try ProgramFit(program: self).check(spec)
      let place = spec.available()
      return Link(
        program: self, target: place.spec.description,
        parts: try Attachment(program: self, spec: place.spec, pid: pid).parts(), note: place.note)
    } catch {
      throw located(error)
    }
  }

  /// Throws what attaching to `spec` would throw, `.usage`, when a program of this type can't go there.
  public func checkFit(_ spec: AttachSpec) throws(MoontraceError) {
    if let error = misfit(spec) { throw located(error) }
  }

  /// Why a program of this type can't go to `spec`, without the program's name; nil when it can.
  public func misfit(_ spec: AttachSpec) -> MoontraceError? {
    do throws(MoontraceError) {
      try ProgramFit(program: self).check(spec)
      return nil
    } catch {
      return error
    }
  }

  /// Sets what the kernel must know before it loads the program: the target of `fentry`, `fexit`, `tp_btf` and `iter`
  /// programs whose section does not name one. Does nothing for others.
  ///
  /// - Throws: `.usage` when the program is of another kind, or is loaded already.
  public func prepare(for spec: AttachSpec) throws(MoontraceError) {
    try handle.requireUnloaded(subject)
    let target: (name: String, type: bpf_attach_type)
    switch spec {
    case .kernelFunction(let name, let isReturn): target = (name, isReturn ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY)
    case .typedTracepoint(let name): target = (name, BPF_TRACE_RAW_TP)
    case .iterator(let name): target = (name, BPF_TRACE_ITER)
    default: return
    }
    try ProgramFit(program: self).check(spec)
    bpf_program__set_expected_attach_type(pointer, target.type)
    let pointer = self.pointer
    do throws(KernelFailure) {
      try checkLibbpf { bpf_program__set_attach_target(pointer, 0, target.name) }
    } catch {
      guard KernelFeatures.typeInformation.isAvailable else { throw located(LoadFailure.missingOwnTypes("\(spec)")) }
      let hint = KernelTargets.hint(for: target.name, section: section)
      throw located(MoontraceError(.unsupported, "this kernel has no '\(target.name)'\(hint)", detail: error.detail))
    }
  }

  /// Attaches a program whose section only libbpf can read, such as `lsm/…` or `fmod_ret/…`.
  private func attachBySection() throws(MoontraceError) -> Link {
    let pointer = self.pointer
    if type == .structOps { throw located(partOfTable) }
    // A kernel that has LSM programs but is told not to call them takes them all the same.
    if type == .lsm, !KernelFeatures.lsm.isAvailable { throw located(Attachment.missing(KernelFeatures.lsm)) }
    do throws(KernelFailure) {
      let link = try checkLibbpf { bpf_program__attach(pointer) }
      return Link(program: self, target: section, parts: [.libbpf(link)])
    } catch {
      if error.number == EOPNOTSUPP, error.lines.isEmpty { throw located(noTarget) }
      if section.hasPrefix("fmod_ret"), !KernelFeatures.fentry.isAvailable {
        throw located(Attachment.missing(KernelFeatures.fentry))
      }
      throw error.error("\(handle.name): \(subject): can't attach to \(section)")
    }
  }

  /// The functions that its section names by a `*` which is to be expanded before it is attached,
  /// `SEC("uprobe.multi/BINARY:GLOB")`; nil where there is none.
  public var globInSection: AttachSpec? {
    guard let spec = AttachSpec(section: section), case .userProbe = spec else { return nil }
    return spec.description.contains("*") ? spec : nil
  }

  /// Whether its section says what to attach it to, so that `attach` needs no SPEC.
  public var namesTarget: Bool {
    if AttachSpec(section: section) != nil || type == .structOps { return true }
    let kinds = ["lsm", "lsm.s", "fmod_ret", "fmod_ret.s", "freplace", "uprobe", "uretprobe", "usdt"]
    let parts = section.split(separator: "/", maxSplits: 1)
    if parts.count < 2 || !kinds.contains(where: { parts[0] == $0 }) { return false }
    // `uretprobe/readline` names a function, but not whose.
    return !["uprobe", "uretprobe", "usdt"].contains(parts[0]) || parts[1].contains(":")
  }

  /// A SPEC of the form that the program can be attached to: `xdp:INTERFACE`; nil when there is none for its kind.
  public var exampleSpec: String? { ProgramFit(program: self).example }

  /// Whether an XDP program is called from a map's entry (`xdp/devmap`, `xdp/cpumap`), not from an interface.
  public var runsInMaps: Bool {
    type == .xdp && ["/devmap", "/cpumap"].contains(where: section.hasSuffix)
  }

  /// Whether an LSM program decides about the processes of one cgroup.
  var isForCgroups: Bool { section.hasPrefix("lsm_cgroup") }

  private var partOfTable: MoontraceError {
    MoontraceError(
      .usage, "it is called by a struct_ops map, not from a place", remedy: "o:attach() attaches its object")
  }

  private var noTarget: MoontraceError {
    MoontraceError(
      .usage, "its section '\(section)' does not say what to attach it to",
      remedy: exampleSpec.map { "p:attach(\"\($0)\")" })
  }
}
