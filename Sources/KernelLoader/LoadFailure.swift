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
      noPermission, missingTable, refusedMap, missingEntry, missingExtern, missingTarget, noTarget, unknownSection,
      refusedProgram, failedRelocation, unreadableTypes, missingKernelTypes,
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

  /// A table of functions (struct_ops) that the kernel has no place for.
  private func missingTable() -> MoontraceError? {
    guard let line = lines.first(where: { $0.contains("struct_ops init_kern") && $0.contains("in kernel BTF") }) else {
      return nil
    }
    let text = LibbpfMessage.text(line).split(separator: " ").dropFirst(2).joined(separator: " ")
    return make(
      .unsupported, "this kernel does not have what a struct_ops map is for: \(text)",
      remedy: "run it on a kernel that has this struct_ops type")
  }

  /// A program that an array of programs is to hold, and that is not loaded.
  private func missingEntry() -> MoontraceError? {
    guard let map = LibbpfMessage.part(of: lines, after: "map '", upTo: "': failed to initialize slot ["),
      let index = LibbpfMessage.part(of: lines, after: "failed to initialize slot [", upTo: "] to prog '"),
      let program = LibbpfMessage.part(of: lines, after: "] to prog '", upTo: "' fd="),
      object.program(program)?.isAutoloaded == false
    else { return nil }
    return make(
      .usage, "map '\(map)': program '\(program)', its entry \(index), is left out",
      remedy: "one that is only called from the map stands in a section that names no place, such as SEC(\"raw_tp\")")
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
    guard KernelFeatures.typeInformation.isAvailable else { return missingOwnTypes(program) }
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

  /// A file that stands for the kernel's types and holds none.
  private func unreadableTypes() -> MoontraceError? {
    guard let path = object.kernelTypes,
      let number = LibbpfMessage.part(of: lines, after: "failed to parse target BTF: ", upTo: "").flatMap({ Int32($0) })
    else { return nil }
    // libbpf's own numbers begin at 4000 (libbpf_legacy.h): the file was read and is no BTF.
    let cause = -number < 4000 ? errnoText(-number) : "it is no BTF"
    return make(
      .usage, "the kernel's types in '\(path)' can't be read: \(cause)",
      remedy: "name a file with this kernel's BTF in BTF_FILE_PATH")
  }

  private static let noTypes = "this kernel has no BTF type information (CONFIG_DEBUG_INFO_BTF is off)"

  private func missingOwnTypes(_ program: BPFProgram) -> MoontraceError {
    let error = Self.missingOwnTypes(program.section)
    return make(error.code, "\(program.subject): \(error.message)", remedy: error.remedy)
  }

  /// - Parameter target: a SPEC or section of a kind that the kernel finds by its own types.
  static func missingOwnTypes(_ target: String) -> MoontraceError {
    MoontraceError(
      .unsupported, "\(noTypes), by which \(target) is attached",
      remedy: "\(KernelTypes.ownRemedy), or a tracepoint or raw_tp")
  }

  private func missingKernelTypes() -> MoontraceError? {
    let textIsThere = lines.contains { $0.contains("vmlinux BTF") || $0.contains("kernel BTF is missing") }
    guard textIsThere else { return nil }
    if let program = object.programs.first(where: { $0.isAutoloaded && $0.type.isAttachedByTypes }) {
      return missingOwnTypes(program)
    }
    return make(
      .unsupported, "\(Self.noTypes), which the object is to be fitted to",
      remedy: object.remedyWithoutTypes
        ?? "name a file with this kernel's types in BTF_FILE_PATH, or run an archive that brings them along "
        + "(moontrace build --tar)")
  }
}
