import BPFAssembly
import Support

/// The programs of an object that should stay out of the kernel, because another program of it does the same work here.
///
/// Sources that are meant for many kernels have one program in several variants: `fentry/vfs_read` and `kprobe/vfs_read`,
/// or `tp_btf/sched_switch` and `raw_tp/sched_switch`. Attached together they would count everything twice. Others are for
/// places that only some kernels have: `fentry/mark_page_accessed` and `fentry/folio_mark_accessed`, or tracepoints of
/// system calls that only other machines have.
///
/// Whether two programs do the same is read from their code: for the same event they use the same maps, variables and
/// functions; for different ones also the same helpers and constants.
///
/// ```swift
/// for program in ProgramAlternatives(object, among: object.programs).leftOut { try program.setAutoload(false) }
/// ```
public struct ProgramAlternatives {
  /// Variants: another program is for the same event.
  public private(set) var variants: [BPFProgram] = []
  /// Programs whose place this kernel lacks, of which another one's is there.
  public private(set) var homeless: [BPFProgram] = []

  public var leftOut: [BPFProgram] { variants + homeless }

  /// - Parameters:
  ///   - candidates: the programs that may be left out.
  ///   - chosen: programs that somebody asked for: their variants are left out.
  public init(_ object: BPFObject, among candidates: [BPFProgram], chosen: [BPFProgram] = []) {
    let symbols = object.image.symbols()
    let chosenNames = Set(chosen.map(\.name))
    let all = (candidates + chosen).compactMap {
      Entry(
        $0, isChosen: chosenNames.contains($0.name), uses: object.uses(of: $0, symbols),
        code: BPFProgram.instructions($0.pointer))
    }
    // The kernel is asked about those only that could stand in for each other.
    let functions = ProbeableFunctions()
    let rivals = all.filter { entry in all.contains { $0.rivals(entry) } }
      .map { (entry: $0, rank: $0.rank(among: functions)) }
    let beaten = rivals.filter { rival in
      rivals.contains { $0.entry.isVariant(of: rival.entry) && $0.rank < rival.rank } && !rival.entry.isChosen
    }
    variants = beaten.map(\.entry.program)
    let rest = rivals.filter { rival in !beaten.contains { $0.entry.program === rival.entry.program } }
    let present = rest.filter { $0.rank < Entry.missing }
    homeless = rest.filter { rival in
      rival.rank >= Entry.missing && present.contains { $0.entry.canReplace(rival.entry) }
    }.map(\.entry.program)
  }
}

/// A program with what its section says, and what its code uses.
private struct Entry {
  /// Added to the rank of what this kernel can't attach.
  static let missing = 100

  /// When in its event a program runs; tracepoints do not say.
  private enum Side {
    case start, end, unknown
  }

  let program: BPFProgram
  let isChosen: Bool
  private let uses: Set<String>
  private let work: Work
  private let spec: AttachSpec
  private let event: String
  private let side: Side
  /// How good this way of attaching is, 0 the best: cheap, and with typed arguments.
  private let order: Int

  /// nil for programs of kinds that have no variants.
  init?(_ program: BPFProgram, isChosen: Bool, uses: Set<String>, code: [Instruction]) {
    guard let spec = AttachSpec(section: program.section) else { return nil }
    (self.program, self.isChosen, self.uses, self.spec) = (program, isChosen, uses, spec)
    work = Work(code)
    switch spec {
    case .typedTracepoint(let name): (event, side, order) = ("t:" + name, Self.side(name), 0)
    case .rawTracepoint(let name): (event, side, order) = ("t:" + name, Self.side(name), 1)
    case .tracepoint(_, let name): (event, side, order) = ("t:" + name, Self.side(name), 2)
    case .kernelFunction(let name, let isReturn):
      (event, side, order) = ("f:" + name, isReturn ? .end : .start, 0)
    case .kernelProbe(let name, 0, let isReturn):
      (event, side, order) = ("f:" + name, isReturn ? .end : .start, 1)
    default: return nil
    }
  }

  /// System calls' tracepoints have names that say it.
  private static func side(_ tracepoint: String) -> Side {
    if tracepoint.hasPrefix("sys_enter") { return .start }
    return tracepoint.hasPrefix("sys_exit") ? .end : .unknown
  }

  /// Whether one could stand in for the other. Programs that use nothing are told apart by what they compute.
  func rivals(_ other: Entry) -> Bool {
    let meet = side == other.side || side == .unknown || other.side == .unknown
    return program !== other.program && meet && uses == other.uses && (!uses.isEmpty || work == other.work)
  }

  /// Whether one does for another place what the other does. A system call that the kernel does not have is never made:
  /// what is for it alone may differ in what it tells of the call.
  func canReplace(_ other: Entry) -> Bool {
    rivals(other) && (work == other.work || isOfSystemCall && other.isOfSystemCall)
  }

  private var isOfSystemCall: Bool {
    if case .tracepoint("syscalls", _) = spec { true } else { false }
  }

  /// Whether both are for the same end of the same event, but get there in different ways.
  func isVariant(of other: Entry) -> Bool {
    rivals(other) && event == other.event && side == other.side && order != other.order
  }

  /// The lowest is the best: what somebody chose, what is there, the way.
  func rank(among functions: ProbeableFunctions) -> Int {
    isChosen ? -1 : order + (isThere(functions) ? 0 : Self.missing)
  }

  /// Whether this kernel has the place and the way to attach to it.
  private func isThere(_ functions: ProbeableFunctions) -> Bool {
    switch spec {
    case .typedTracepoint(let name), .rawTracepoint(let name): KernelTargets.hasRawTracepoint(name)
    case .tracepoint(let category, let name): (try? Tracefs.has(category, name)) ?? false
    case .kernelFunction(let name, _): KernelFeatures.fentry.isAvailable && functions.names.contains(name)
    case .kernelProbe(let name, _, _): KernelFeatures.kprobes.isAvailable && functions.mayHold(name)
    default: true
    }
  }
}

/// The kernel's functions that can be probed, read when they are first asked for.
private final class ProbeableFunctions {
  private(set) lazy var names = Set(KernelTargets.probeableFunctions())

  /// Whether a kprobe may find the function: some take one that the function tracer does not know.
  func mayHold(_ name: String) -> Bool { names.contains(name) || KernelTargets.hasFunction(name) }
}

/// What code computes, apart from where it reads: the helpers it calls, but for those that read, and its constants.
private struct Work: Equatable {
  private let helpers: Set<Int32>
  private let constants: Set<Int32>

  init(_ code: [Instruction]) {
    let reading: [Helper] = [
      .probeRead, .probeReadStr, .probeReadKernel, .probeReadKernelStr, .probeReadUser, .probeReadUserStr,
    ]
    helpers = Set(Instruction.helpers(in: code)).subtracting(reading.map(\.rawValue))
    var constants: Set<Int32> = []
    var index = 0
    while index < code.count {
      if code[index].holdsConstant { constants.insert(code[index].immediate) }
      index += code[index].isWide ? 2 : 1
    }
    self.constants = constants
  }
}

extension BPFObject {
  /// The names of maps, variables and functions that a program's own code refers to; constants are not among them.
  fileprivate func uses(of program: BPFProgram, _ symbols: [ELFImage.Symbol]) -> Set<String> {
    guard let place = program.place, let section = image.section(place.section) else { return [] }
    let own = place.instruction..<place.instruction + program.ownCount
    var names: Set<String> = []
    for (instruction, symbol) in relocations(of: section, symbols) where own.contains(instruction) {
      let home = image.sections.indices.contains(symbol.section) ? image.sections[symbol.section].name : ""
      if home.hasPrefix(".rodata") { continue }
      names.insert(symbol.name.isEmpty ? home : symbol.name)
    }
    return names
  }
}
