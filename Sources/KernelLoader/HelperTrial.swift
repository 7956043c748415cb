import BPFAssembly
import Support

/// Whether the kernel lets programs call a helper function, found out by loading one that does.
struct HelperTrial: Sendable {
  /// `bpf_loop`
  let name: String
  /// Its number in `enum bpf_func_id` (linux/bpf.h).
  let number: Int32
  /// A section for programs of a type that may call it.
  var section = "raw_tp/sched_process_exit"
  /// The kernel that has it first.
  let since: String

  /// The ones that tracing builds on and that not every kernel has. Versions: bpf-helpers(7), Documentation/bpf.
  static let all = [
    HelperTrial(name: "bpf_probe_read_user", number: 112, since: "5.5"),
    HelperTrial(name: "bpf_probe_read_kernel", number: 113, since: "5.5"),
    HelperTrial(name: "bpf_ktime_get_boot_ns", number: 125, since: "5.8"),
    HelperTrial(name: "bpf_get_current_task_btf", number: 158, since: "5.11"),
    HelperTrial(name: "bpf_task_storage_get", number: 156, since: "5.12"),
    HelperTrial(name: "bpf_get_func_ip", number: 173, section: "uprobe", since: "5.15"),
    HelperTrial(name: "bpf_get_attach_cookie", number: 174, section: "uprobe", since: "5.15"),
    HelperTrial(name: "bpf_loop", number: 181, since: "5.17"),
  ]

  /// The answer, under the helper's name.
  func run() -> KernelFeature {
    do throws(MoontraceError) {
      let call = Instruction(code: 0x85, immediate: number)
      let program = ObjectImage.Program(
        name: "trial", section: section, code: Instruction.bytes([call] + Instruction.returning(0)))
      let object = try BPFObject(bytes: ObjectImage(programs: [program]).bytes(), name: "trial")
      defer { object.close() }
      try object.load()
      return KernelFeature(name, missing: nil)
    } catch {
      return explain(error)
    }
  }

  /// The call lacks its arguments, so a verifier that knows the helper complains about these.
  private func explain(_ error: MoontraceError) -> KernelFeature {
    switch error.code {
    case .notPermitted:
      KernelFeature(name, missing: "no program can be loaded to try it", remedy: error.remedy)
    case .unsupported where number == 113 && KernelFeatures.lockdown == "confidentiality":
      KernelFeature(
        name, missing: "the kernel forbids it (lockdown=confidentiality)", remedy: "boot with lockdown=none")
    case .unsupported:
      KernelFeature(name, missing: "the kernel does not have it", remedy: "use Linux \(since) or newer")
    case .scriptFailed, .usage: KernelFeature(name, missing: nil)
    }
  }
}
