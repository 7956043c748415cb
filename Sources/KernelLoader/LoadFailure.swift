import BTF
import CLibbpf
import Glibc
import Support

/// Turns a failed load into the error that names what is to blame.
///
/// libbpf answers with a number and prints the rest, so the causes are told apart by its messages (libbpf.c of 1.1).
struct LoadFailure {
  let object: BPFObject
  let failure: KernelFailure

  private var lines: [String] { failure.lines }

  /// The explanations from the most to the least specific; the first that applies is the error.
  var error: MoontraceError {
    let explanations: [() -> MoontraceError?] = [
      noPermission, refusedMap, missingExtern, missingTarget, noTarget, unknownSection, refusedProgram,
      failedRelocation, missingKernelTypes,
    ]
    for explain in explanations {
      if let error = explain() { return error }
    }
    let cause = lines.first.map(LibbpfMessage.text) ?? failure.text
    return failure.number == EPERM
      ? failure.permissionError(object.name) : make(.scriptFailed, "can't be loaded: \(cause)")
  }

  func make(
    _ code: MoontraceError.Code, _ message: String, remedy: String? = nil, location: String? = nil
  ) -> MoontraceError {
    MoontraceError(code, "\(object.name): \(message)", remedy: remedy, location: location, detail: failure.detail)
  }

  private func noPermission() -> MoontraceError? {
    guard failure.number == EPERM, !ProcessCapability.missing().isEmpty else { return nil }
    return failure.permissionError(object.name)
  }

  private func refusedMap() -> MoontraceError? {
    guard lines.contains(where: { $0.contains("': failed to create: ") }),
      let name = LibbpfMessage.part(of: lines, after: "map '", upTo: "': failed to create: "),
      let map = (object.maps + object.internalMaps).first(where: { $0.name == name })
    else { return nil }
    return MapRefusal(map.definition, in: object.name, failure: failure).error
  }

  private func missingExtern() -> MoontraceError? {
    let name =
      LibbpfMessage.part(of: lines, after: "extern (var ksym) '", upTo: "': not found")
      ?? LibbpfMessage.part(of: lines, after: "extern (func ksym) '", upTo: "': not found")
      ?? LibbpfMessage.part(of: lines, after: "extern '", upTo: "' (strong): not resolved")
    guard let name else { return nil }
    return make(
      .unsupported, "this kernel has no '\(name)', which the object refers to as extern",
      remedy: "declare it __weak and test for it, or use another kernel")
  }

  /// tp_btf, fentry, fexit, lsm and iter programs name a kernel function that must be in the kernel's BTF.
  private func missingTarget() -> MoontraceError? {
    guard let target = LibbpfMessage.part(of: lines, after: "failed to find kernel BTF type ID of '", upTo: "'"),
      let name = LibbpfMessage.part(of: lines, after: "prog '", upTo: "'"), let program = object.program(name)
    else { return nil }
    let hint = KernelTargets.hint(for: target, section: program.section)
    return make(
      .unsupported, "\(program.subject): this kernel has no '\(target)' to attach \(program.section) to\(hint)")
  }

  private func noTarget() -> MoontraceError? {
    let text = "': no BTF-based attach target is specified"
    guard let name = LibbpfMessage.part(of: lines, after: "prog '", upTo: text) else { return nil }
    let section = object.program(name)?.section ?? ""
    return make(
      .usage, "program '\(name)': its section '\(section)' does not say what to attach it to",
      remedy: "write SEC(\"\(section)/NAME\"), or give the target before the load")
  }

  private func unknownSection() -> MoontraceError? {
    let text = "': missing BPF prog type, check ELF section name '"
    guard let name = LibbpfMessage.part(of: lines, after: "prog '", upTo: text),
      let section = LibbpfMessage.part(of: lines, after: text, upTo: "'")
    else { return nil }
    let kind = String(section.prefix { $0 != "/" })
    let hint = suggestionHint(for: kind, in: KernelTargets.sectionKinds)
    return make(.scriptFailed, "program '\(name)': unknown section '\(section)'\(hint)")
  }

  private func refusedProgram() -> MoontraceError? {
    guard let name = LibbpfMessage.part(of: lines, after: "prog '", upTo: "': BPF program load failed: "),
      let program = object.program(name)
    else { return nil }
    return ProgramRefusal(load: self, program: program).error
  }

  private func failedRelocation() -> MoontraceError? {
    guard let name = LibbpfMessage.part(of: lines, after: "prog '", upTo: "': relo #") else { return nil }
    let line = lines.first { $0.contains("': relo #") }.map(LibbpfMessage.text) ?? failure.text
    return make(.unsupported, "program '\(name)': a type or field it uses can't be found in this kernel: \(line)")
  }

  private func missingKernelTypes() -> MoontraceError? {
    let textIsThere = lines.contains { $0.contains("vmlinux BTF") || $0.contains("kernel BTF is missing") }
    guard textIsThere else { return nil }
    return make(
      .unsupported, "this kernel has no BTF type information (CONFIG_DEBUG_INFO_BTF is off)",
      remedy: "use a kernel that has /sys/kernel/btf/vmlinux")
  }
}
