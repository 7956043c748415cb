import BPFAssembly
import CLibbpf
import Support

/// A program that was assembled in this process, to be loaded by `BPFObject(programs:name:)`.
///
/// ```swift
/// let probe = ProbeProgram(targets: [AttachSpec("tracepoint:sched:sched_switch")], program: assembled, descriptor: { _ in map.descriptor })
/// let object = try BPFObject(programs: [probe], name: "script.lua")
/// try object.load()
/// let links = try object.attach(probe: 0).links
/// ```
public struct ProbeProgram: Sendable {
  /// A line of source text that instructions come from.
  public struct SourceLine: Hashable, Sendable {
    /// `script.lua`
    public var file: String
    /// From 1.
    public var line: Int
    /// The line itself, which the verifier's log and `bpftool prog dump` show beside the instructions.
    public var text: String

    public init(file: String, line: Int, text: String = "") {
      self.file = file
      self.line = line
      self.text = text
    }
  }

  /// What it attaches to, all of one kind and at least one; the first decides the program's type.
  public var targets: [AttachSpec]
  /// The SPEC as the user wrote it, for messages: `kprobe:vfs_*`.
  public var spec: String
  /// Where the script registers the probe: `script.lua:12`.
  public var location: String?
  let instructions: [Instruction]
  /// Where functions begin, ascending, the first 0.
  let entries: [Int]
  /// The line of each instruction, counted from 1 in `lines`; 0 for none.
  let places: [UInt32]
  let lines: [SourceLine]

  /// - Parameters:
  ///   - spec: nil for the first target's own text.
  ///   - lines: what `AssembledProgram.places` counts from 1.
  ///   - descriptor: gives each map's descriptor, which must stay open until the load.
  public init(
    targets: [AttachSpec], spec: String? = nil, location: String? = nil, program: AssembledProgram,
    lines: [SourceLine] = [], descriptor: (MapReference) -> Int32 = { _ in -1 }
  ) {
    self.targets = targets
    self.spec = spec ?? targets.first?.description ?? ""
    self.location = location
    self.lines = lines
    instructions = program.resolving(descriptor)
    entries = program.entries
    places = program.places
  }

  /// The line that an instruction comes from.
  func line(of instruction: Int) -> SourceLine? {
    guard places.indices.contains(instruction) else { return nil }
    let place = Int(places[instruction]) - 1
    return lines.indices.contains(place) ? lines[place] : nil
  }

  /// The kernel programs that it takes: the kernel ties fentry, fexit and iterator programs to one target each.
  func parts() -> [ProbeProgram] {
    guard targets.count > 1, isTiedToTarget else { return [self] }
    return targets.map { target in
      var part = self
      part.targets = [target]
      return part
    }
  }

  private var isTiedToTarget: Bool {
    switch targets.first {
    case .kernelFunction, .iterator, .typedTracepoint: true
    default: false
    }
  }

  /// Whether one link attaches it to all targets: kprobes at the start of many functions.
  var isMultiple: Bool {
    guard targets.count > 1, KernelFeatures.kprobeMulti.isAvailable else { return false }
    return targets.allSatisfy { if case .kernelProbe(_, offset: 0, _) = $0 { true } else { false } }
  }
}
