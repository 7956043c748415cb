import Glibc
import KernelLoader
import Packages
import Support

/// Where each program of an object is to be attached: where the command line says, else the section, else the package.
struct AttachPlan {
  struct Step {
    let program: BPFProgram
    /// nil: by its section.
    let spec: AttachSpec?
  }

  private(set) var steps: [Step] = []
  /// What the user should know: programs that go nowhere, and places that nobody chose.
  private(set) var notes: [String] = []

  /// - Parameter wanted: `PROGRAM=SPEC` each; `PROGRAM` alone asks for an optional program, `PROGRAM=none` leaves one out.
  /// - Throws: `.usage` for programs that are not there, and when no program has a place.
  init(_ object: BPFObject, _ meta: PackageMeta?, wanted: [String]) throws(MoontraceError) {
    let chosen = try Self.choose(wanted, object)
    let packaged = Dictionary(
      (meta?.skeleton.programs ?? []).map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
    try leaveOut(object, chosen: chosen, packaged: packaged)
    var homeless: [BPFProgram] = []
    for program in object.programs {
      if let specs = chosen[program.name] {
        try program.setAutoload(!specs.isEmpty)
        steps += specs.map { Step(program: program, spec: $0) }
      } else if program.isAutoloaded, packaged[program.name]?.isAttached != false {
        if try !place(program, packaged[program.name], object) { homeless.append(program) }
      }
    }
    if steps.isEmpty, let program = homeless.first { throw Self.noPlace(program, in: object) }
    notes += homeless.map { "\(Self.noPlace($0, in: object))" }
  }

  /// Keeps programs away whose work others do.
  private mutating func leaveOut(
    _ object: BPFObject, chosen: [String: [AttachSpec?]], packaged: [String: PackagedProgram]
  ) throws(MoontraceError) {
    let candidates = object.programs.filter {
      $0.isAutoloaded && chosen[$0.name] == nil && packaged[$0.name]?.isAttached != false
    }
    let alternatives = ProgramAlternatives(
      object, among: candidates, chosen: object.programs.filter { chosen[$0.name]?.isEmpty == false })
    for program in alternatives.leftOut { try program.setAutoload(false) }
    notes += alternatives.notes.map { "\(object.name): \($0)" }
  }

  /// Puts a program where its section or its package says; whether one does.
  private mutating func place(
    _ program: BPFProgram, _ package: PackagedProgram?, _ object: BPFObject
  ) throws(MoontraceError) -> Bool {
    if program.namesTarget {
      steps.append(Step(program: program, spec: nil))
      return true
    }
    guard let package, let place = try ProgramPlacement(package, program, object) else { return false }
    steps.append(Step(program: program, spec: place.spec))
    notes += place.notes.map { "\(object.name): \($0)" }
    return true
  }

  private static func noPlace(_ program: BPFProgram, in object: BPFObject) -> MoontraceError {
    MoontraceError(
      .usage,
      "\(object.name): program '\(program.name)' is attached nowhere: its section '\(program.section)' does not say where",
      remedy: "--attach \(program.name)=\(program.exampleSpec)")
  }

  /// What `--attach` says, by the program's name: its places, nil for its section; no place leaves it out.
  private static func choose(_ wanted: [String], _ object: BPFObject) throws(MoontraceError) -> [String: [AttachSpec?]]
  {
    var chosen: [String: [AttachSpec?]] = [:]
    for text in wanted {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard object.program(parts[0]) != nil else {
        let hint = suggestionHint(for: parts[0], in: object.programs.map(\.name))
        throw MoontraceError(
          .usage, "--attach: \(object.name) has no program '\(parts[0])'\(hint)", remedy: "write PROGRAM=SPEC")
      }
      chosen[parts[0], default: []] += parts.count == 1 ? [nil] : try specs(parts[1])
    }
    return chosen
  }

  private static func specs(_ text: String) throws(MoontraceError) -> [AttachSpec] {
    if text == "none" { return [] }
    do throws(MoontraceError) {
      return try AttachSpec(text).expanded()
    } catch {
      throw MoontraceError(error.code, "--attach: \(error.message)", remedy: error.remedy)
    }
  }
}

extension ProgramAlternatives {
  /// What the user should know of it.
  var notes: [String] {
    var notes: [String] = []
    if !variants.isEmpty {
      notes.append("left out, for other programs do the same: \(Self.list(variants)) (--attach NAME takes one instead)")
    }
    if !homeless.isEmpty {
      notes.append("left out, for this kernel has no such place, and others do the same: \(Self.list(homeless))")
    }
    return notes
  }

  private static func list(_ programs: [BPFProgram]) -> String {
    programs.map { "\($0.name) (\($0.section))" }.joined(separator: ", ")
  }
}

/// Where a package's annotations put a program: `ifindex` of xdp programs, `tchook` of tc programs.
struct ProgramPlacement {
  let spec: AttachSpec
  /// That nobody chose the place, and what is left out.
  private(set) var notes: [String] = []

  /// nil for programs of other kinds.
  init?(_ package: PackagedProgram, _ program: BPFProgram, _ object: BPFObject) throws(MoontraceError) {
    let fields = MemberReader(members: package.other, place: "\(object.name): program '\(program.name)'")
    switch program.type {
    case .xdp:
      let interface = try Self.interface(fields)
      spec = .xdp(interface: interface)
      if fields["ifindex"] == nil { notes.append(Self.note(program, interface, "xdp:INTERFACE")) }
      let flags = try fields.integer("flags", default: 0)
      if flags != 0 { notes.append("program '\(program.name)': the flags \(flags) of its package are not used") }
    case .trafficControl:
      let hook = try fields.object("tchook")
      let interface = try Self.interface(hook)
      spec = .trafficControl(interface: interface, direction: try Self.direction(hook))
      if hook["ifindex"] == nil { notes.append(Self.note(program, interface, "tc:INTERFACE:ingress")) }
    default: return nil
    }
  }

  private static func note(_ program: BPFProgram, _ interface: String, _ form: String) -> String {
    "program '\(program.name)' is attached to interface \(interface), for its package names none "
      + "(--attach \(program.name)=\(form))"
  }

  /// By number as the format has it, 1 when nothing is said, or by name.
  private static func interface(_ fields: MemberReader) throws(MoontraceError) -> String {
    switch fields["ifindex"] {
    case nil, .null: return try name(1, fields)
    case .integer(let index): return try name(index, fields)
    case .string(let name): return name
    default: throw fields.mismatch("ifindex", "the number or name of a network interface")
    }
  }

  private static func name(_ index: Int64, _ fields: MemberReader) throws(MoontraceError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
    guard let number = UInt32(exactly: index), if_indextoname(number, &buffer) != nil else {
      throw MoontraceError(
        .usage, "\(fields.place): there is no network interface \(index)", remedy: "name one: --attach PROGRAM=SPEC")
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func direction(_ hook: MemberReader) throws(MoontraceError) -> AttachSpec.TrafficDirection {
    switch hook["attach_point"] {
    case nil, .null, .string("BPF_TC_INGRESS"): return .ingress
    case .string("BPF_TC_EGRESS"): return .egress
    default: throw hook.mismatch("attach_point", "BPF_TC_INGRESS or BPF_TC_EGRESS")
    }
  }
}
