import BTF
import CLibbpf
import Glibc
import Support

/// Says why the kernel did not take a program.
struct ProgramRefusal {
  let load: LoadFailure
  let program: BPFProgram

  var error: MoontraceError {
    let text = LibbpfMessage.verifierLog(in: load.failure.lines) ?? ""
    if text.isEmpty { return refusedUnseen }
    let log = VerifierLog(text)
    let place = program.probe == nil ? log.location ?? location(of: log) : location(of: log)
    let complaint = log.complaint ?? load.failure.text
    if let known = knownCause(complaint, place) { return known }
    if program.probe != nil { return rejectedProbe(complaint, place) }
    // Older kernels name the type that libbpf found for it, none; later ones say nothing.
    if program.type == .structOps, log.complaint?.hasPrefix("attach_btf_id 0 ") ?? true {
      return make(
        .scriptFailed, "no struct_ops map has it among its functions",
        remedy: "name it there, or write SEC(\"?struct_ops\")")
    }
    return make(.scriptFailed, "the verifier rejects it: \(complaint)", location: place)
  }

  private func make(
    _ code: MoontraceError.Code, _ message: String, remedy: String? = nil, location: String? = nil
  ) -> MoontraceError {
    let name = location == nil ? "\(load.object.name): " : ""
    return MoontraceError(
      code, "\(name)\(program.subject): \(message)", remedy: remedy, location: location, detail: load.failure.detail)
  }

  /// What was compiled in this process never gives the verifier cause to complain, unless the compiler is wrong.
  private func rejectedProbe(_ complaint: String, _ place: String?) -> MoontraceError {
    make(
      .scriptFailed, "the verifier rejects what Moontrace made of this: \(complaint)",
      remedy: "this is a bug of Moontrace: please report it with the script and what -v prints", location: place)
  }

  /// The kernel gave up before its verifier had looked at an instruction.
  private var refusedUnseen: MoontraceError {
    let failure = load.failure
    if let feature = missingFeature {
      let error = Attachment.missing(feature)
      return make(error.code, error.message, remedy: error.remedy)
    }
    if failure.number == EPERM || failure.number == EACCES {
      return failure.permissionError("\(load.object.name): \(program.subject)")
    }
    let type = bpf_prog_type(rawValue: program.type.rawValue)
    if LibbpfLog.capture({ libbpf_probe_bpf_prog_type(type, nil) }).result == 0 {
      return make(.unsupported, "this kernel has no programs of type \(program.type)")
    }
    if failure.number == E2BIG { return make(.scriptFailed, "too many instructions for this kernel") }
    return make(.scriptFailed, "the kernel refuses it: \(failure.text)")
  }

  /// What programs of this kind need and the kernel lacks; asked only after it has refused one.
  private var missingFeature: KernelFeature? {
    if program.type == .netfilter { return KernelFeatures.netfilter.isAvailable ? nil : KernelFeatures.netfilter }
    if program.type == .lsm { return KernelFeatures.lsm.isAvailable ? nil : KernelFeatures.lsm }
    let isFunctionProbe = program.section.hasPrefix("fentry") || program.section.hasPrefix("fexit")
    return isFunctionProbe && !KernelFeatures.fentry.isAvailable ? KernelFeatures.fentry : nil
  }

  /// Rejections that mean something else than a mistake in the program.
  private func knownCause(_ complaint: String, _ place: String?) -> MoontraceError? {
    if complaint.hasPrefix("BPF program is too large") || complaint.hasSuffix("jumps is too complex.") {
      let remedy = program.probe == nil ? "bpf_loop for loops, tail calls" : "several probes, which may share maps"
      return make(
        .scriptFailed, "there are too many ways through it for the verifier: \(complaint)",
        remedy: "split it: \(remedy)", location: program.probe?.location)
    }
    let helper =
      LibbpfMessage.part(of: [complaint], after: "unknown func ", upTo: "")
      ?? LibbpfMessage.part(of: [complaint], after: "invalid func ", upTo: "")
    if let helper {
      return make(
        .unsupported, "this kernel has no helper \(helper), or does not let \(program.type) programs call it",
        location: place)
    }
    if let field = LibbpfMessage.part(of: [complaint], after: "failed to resolve CO-RE relocation ", upTo: "") {
      if let architecture = RegisterTypes.foreign(field, load.object.types) {
        return make(
          .unsupported, "it reads the registers of \(architecture), and this machine is \(RegisterTypes.host)",
          remedy: "moontrace build --arch \(RegisterTypes.host)", location: place)
      }
      return make(
        .unsupported, "this kernel has no such type or field: \(field)",
        remedy: "guard the access with bpf_core_field_exists or bpf_core_type_exists", location: place)
    }
    return nil
  }

  /// The source line from the object's line info, for kernels before 6.9.
  func location(of log: VerifierLog) -> String? {
    if let probe = program.probe {
      return log.instruction.flatMap(probe.line).map { "\($0.file):\($0.line)" } ?? probe.location
    }
    guard let lines = load.object.lineTable else { return nil }
    if let index = log.instruction, let place = program.place,
      let original = program.instrumentation.map({ $0.originalIndex(index) }) ?? index, isOwn(original),
      let entry = lines.entry(section: place.section, instruction: place.instruction + original)
    {
      return Self.text(entry)
    }
    guard let text = log.sourceText else { return nil }
    let places = Set(lines.entries(withText: text).map(Self.text))
    return places.count == 1 ? places.first : nil
  }

  /// As newer kernels put it: without the directory, which clang adds to the file's name.
  private static func text(_ entry: LineEntry) -> String {
    "\(entry.file.split(separator: "/").last ?? ""):\(entry.line)"
  }

  /// Whether an index lies in the program's own code; behind it libbpf puts subprograms.
  private func isOwn(_ index: Int) -> Bool {
    index < program.ownCount
  }
}

extension BPFObject {
  /// The object's line info; nil when it has none.
  var lineTable: LineTable? {
    image.section(".BTF.ext").flatMap { try? LineTable(extBlob: Array(image.contents($0)), types: types) }
  }
}
