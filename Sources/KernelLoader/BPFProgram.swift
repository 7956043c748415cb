import BPFAssembly
import CLibbpf
import Support

/// A program of a BPF object.
///
/// ```swift
/// let link = try program.attach(to: AttachSpec("tracepoint:syscalls:sys_enter_openat"))
/// ```
public final class BPFProgram {
  public let name: String
  /// The ELF section it stands in, which says what it is: `tracepoint/syscalls/sys_enter_openat`.
  public private(set) var section: String
  /// Numbers of the kernel helpers that its own code calls (`enum bpf_func_id`), ascending; those of subprograms,
  /// functions that are not inlined, are not among them.
  public private(set) var helperIDs: [Int32]
  let handle: ObjectHandle
  let pointer: OpaquePointer
  let place: ProgramPlace?
  /// Instructions of its own code in the object file.
  public let ownCount: Int
  /// What it is made of when it was assembled in this process.
  private(set) var probe: ProbeProgram?
  /// The place of `probe` among what the object was made of.
  private(set) var probeIndex: Int?
  private(set) var debugInfo: ProgramDebugInfo?
  /// Set by the load, when the program sends events.
  var instrumentation: LossInstrumentation?
  var lossCounter: (() -> UInt64)?
  /// Output calls whose failures are not counted. 0 before the load.
  public internal(set) var uncountedOutputs = 0

  init(pointer: OpaquePointer, handle: ObjectHandle, places: [String: ProgramPlace]) {
    self.pointer = pointer
    self.handle = handle
    name = bpf_program__name(pointer).map { String(cString: $0) } ?? ""
    section = bpf_program__section_name(pointer).map { String(cString: $0) } ?? ""
    let instructions = BPFProgram.instructions(pointer)
    ownCount = instructions.count
    helperIDs = Instruction.helpers(in: instructions)
    place = places[name]
    ProgramSection.setType(of: pointer, section: section)
  }

  /// Becomes an assembled program, which libbpf has opened under a stand-in.
  func adopt(_ probe: ProbeProgram, index: Int, section: String, _ debugInfo: ProgramDebugInfo) {
    self.probe = probe
    self.section = section
    self.debugInfo = debugInfo
    probeIndex = index
    helperIDs = Instruction.helpers(in: probe.instructions)
  }

  /// Frees what the kernel has read by now.
  func releaseDebugInfo() {
    debugInfo = nil
  }

  static func instructions(_ pointer: OpaquePointer) -> [Instruction] {
    Instruction.array(bpf_program__insns(pointer), count: bpf_program__insn_cnt(pointer))
  }

  /// The kernel's type for it, from its section; `.unspecified` once the object is closed.
  public var type: ProgramType {
    handle.pointer == nil ? .unspecified : ProgramType(bpf_program__type(pointer))
  }

  /// Whether `load` puts it into the kernel. Programs in sections that begin with `?` start with false.
  public var isAutoloaded: Bool { handle.pointer != nil && bpf_program__autoload(pointer) }

  /// Chooses whether `load` puts it into the kernel. Before the load only.
  public func setAutoload(_ wanted: Bool) throws(MoontraceError) {
    try handle.requireUnloaded(subject)
    bpf_program__set_autoload(pointer, wanted)
  }

  /// The program's descriptor, owned by the object; -1 when it is not in the kernel.
  public var descriptor: Int32 {
    handle.isLoaded && handle.pointer != nil ? max(bpf_program__fd(pointer), -1) : -1
  }

  /// Events that it could not send since the load, because a buffer was full or nobody listened; no system call.
  ///
  /// For perf buffers this includes what the kernel also reports as `PERF_RECORD_LOST`: take one of the two.
  public var lostEvents: UInt64 { lossCounter?() ?? 0 }

  /// Why attaching it can change what the system does, one clause each; empty for programs that only watch.
  public var kernelWrites: [String] {
    let section = self.section
    let modifiesReturn = section.hasPrefix("fmod_ret") ? ["overrides what kernel functions return (fmod_ret)"] : []
    return [type.kernelWrite].compactMap(\.self) + modifiesReturn + helperIDs.compactMap(Helper.kernelWrite)
  }

  /// Whether running it needs the capability `kernel.write` (SPEC §2).
  public var needsKernelWrite: Bool { !kernelWrites.isEmpty }

  /// How errors call it.
  var subject: String { probe.map { "probe '\($0.spec)'" } ?? "program '\(name)'" }

  /// An error about it: at the place of its registration, or of the object.
  func located(_ error: MoontraceError) -> MoontraceError {
    var error = error
    error.location = error.location ?? probe?.location
    error.message = (error.location == nil ? "\(handle.name): " : "") + "\(subject): \(error.message)"
    return error
  }
}
