import BPFAssembly
import CLibbpf
import Glibc
import Support

/// Whether programs of one kind can be used here, found out by using one: a program that does nothing is loaded, attached
/// where it disturbs nobody, and detached.
///
/// It goes the road of a user's program, so its answer is what a user would get.
struct AttachTrial: Sendable {
  /// The kind as SPECs name it: `kprobe`.
  let name: String
  /// The program's section; with its target when there is no `spec`.
  let section: String
  /// What to attach to; nil for what the section says.
  var spec: AttachSpec?
  /// What the program answers: what lets everything pass.
  var answer: Int32 = 0
  /// Maps that libbpf wants in the object.
  var maps: [ObjectImage.Map] = []
  /// For this process only.
  var isOwn = false
  /// In a network namespace of its own, as far as this process may have one: on a thread that then ends.
  var isOnOwnNetwork = false
  /// What a kernel needs for it, for refusals that don't say.
  let needs: String
  /// Makes the kernel call the attached program, for kinds that can be attached without ever being called.
  var call: (@Sendable () -> Void)?

  /// Whether attaching it puts a jump or a breakpoint into the kernel's code.
  var rewritesKernel: Bool {
    let kind = section.prefix { $0 != "/" && $0 != "." }
    return ["kprobe", "kretprobe", "ksyscall", "kretsyscall", "fentry", "fexit", "lsm"].contains(kind)
  }

  /// The answer, under the trial's name.
  func run() -> KernelFeature {
    if isOnOwnNetwork { _ = mt_leave_network() }
    do throws(MoontraceError) {
      try tryOut()
      return KernelFeature(name, missing: nil)
    } catch {
      return explain(error)
    }
  }

  private func tryOut() throws(MoontraceError) {
    let code = Instruction.bytes(Instruction.returning(answer))
    let image = ObjectImage(programs: [.init(name: programName, section: section, code: code)], maps: maps)
    let object = try BPFObject(bytes: image.bytes(), name: Self.objectName)
    defer { object.close() }
    try object.load()
    guard let program = object.program(programName) else { return }
    let link = try program.attach(to: spec, pid: isOwn ? getpid() : nil)
    try proveCalled(program)
    link.detach()
  }

  private func proveCalled(_ program: BPFProgram) throws(MoontraceError) {
    guard let call, let collection = try? StatisticsCollection() else { return }
    call()
    let runs = try program.statistics().runCount
    _ = consume collection
    if runs == 0 { throw MoontraceError(.unsupported, "it can be attached, but the kernel never calls it") }
  }

  /// The process's number in it tells tests whose it is.
  private var programName: String { "trial_\(getpid())" }

  private static let objectName = "trial"

  private func explain(_ error: MoontraceError) -> KernelFeature {
    // libbpf looks the functions up by their addresses.
    if section.hasPrefix("kprobe.multi"), error.code == .scriptFailed, !KernelFeatures.addresses.isAvailable {
      return KernelFeature(
        name, missing: KernelFeatures.addresses.reason, remedy: "sysctl kernel.kptr_restrict=0, or use kprobe")
    }
    var reason = error.message[...]
    for frame in ["\(Self.objectName): ", "program '\(programName)': "] where reason.hasPrefix(frame) {
      reason = reason.dropFirst(frame.count)
    }
    return KernelFeature(name, missing: String(reason), remedy: error.remedy ?? "use a kernel with \(needs)")
  }
}
