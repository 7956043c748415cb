import KernelLoader
import Packages
import Support

/// Where each program of an object is to be attached: where the command line says, else where it does itself.
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
    for program in object.programs where program.type != .structOps {
      if let specs = chosen[program.name] {
        try program.setAutoload(!specs.isEmpty)
        for spec in specs where try !add(program, spec, packaged[program.name], object) {
          throw Self.noPlace(program, in: object)
        }
      } else if program.isAutoloaded, packaged[program.name]?.isAttached != false {
        if try !add(program, nil, packaged[program.name], object) { homeless.append(program) }
      }
    }
    if steps.isEmpty, object.operationMaps.isEmpty, let program = homeless.first {
      throw Self.noPlace(program, in: object)
    }
    if object.operationMaps.isEmpty, !object.programs.contains(where: \.isAutoloaded) {
      throw Self.noPrograms(object)
    }
    notes += homeless.map { "\(Self.noPlace($0, in: object))" }
  }

  /// Keeps programs away whose work others do.
  private mutating func leaveOut(
    _ object: BPFObject, chosen: [String: [AttachSpec?]], packaged: [String: PackagedProgram]
  ) throws(MoontraceError) {
    let candidates = object.programs.filter {
      $0.isAutoloaded && chosen[$0.name] == nil && packaged[$0.name]?.isAttached != false
        && packaged[$0.name]?.namesPlace != true
    }
    let alternatives = ProgramAlternatives(
      object, among: candidates, chosen: object.programs.filter { chosen[$0.name]?.isEmpty == false })
    for program in alternatives.leftOut { try program.setAutoload(false) }
    notes += alternatives.notes.map { "\(object.name): \($0)" }
  }

  /// Puts a program where the command line says, or where its section or its package does; false when nothing says.
  private mutating func add(
    _ program: BPFProgram, _ spec: AttachSpec?, _ package: PackagedProgram?, _ object: BPFObject
  ) throws(MoontraceError) -> Bool {
    if let spec {
      steps.append(Step(program: program, spec: spec))
      return true
    }
    guard let place = try ProgramPlacement(program, package, object) else { return false }
    steps += try place.steps(of: program)
    notes += place.notes.map { "\(object.name): \($0)" }
    return true
  }

  private static func noPlace(_ program: BPFProgram, in object: BPFObject) -> MoontraceError {
    let subject = "\(object.name): program '\(program.name)' is attached nowhere"
    guard let example = program.exampleSpec else {
      return MoontraceError(.usage, "\(subject): \(program.reasonForNoPlace)")
    }
    return MoontraceError(
      .usage, "\(subject): its section '\(program.section)' does not say where",
      remedy: "--attach \(program.name)=\(example)")
  }

  private static func noPrograms(_ object: BPFObject) -> MoontraceError {
    if object.programs.isEmpty {
      return MoontraceError(
        .scriptFailed, "\(object.name): there is no program in it",
        remedy: "a program is a function with SEC(\"…\"), such as SEC(\"tracepoint/syscalls/sys_enter_openat\")")
    }
    return MoontraceError(.usage, "\(object.name): all its programs are left out", remedy: "--attach NAME takes one")
  }

  /// What `--attach` says, by the program's name: its places, nil for its section; no place leaves it out.
  private static func choose(_ wanted: [String], _ object: BPFObject) throws(MoontraceError) -> [String: [AttachSpec?]]
  {
    var chosen: [String: [AttachSpec?]] = [:]
    for text in wanted {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let program = object.program(parts[0]) else {
        let hint = suggestionHint(for: parts[0], in: object.programs.map(\.name))
        throw MoontraceError(
          .usage, "--attach: \(object.name) has no program '\(parts[0])'\(hint)", remedy: "write PROGRAM=SPEC")
      }
      guard program.type != .structOps else {
        throw MoontraceError(
          .usage, "--attach: \(object.name): program '\(parts[0])' is called by a struct_ops map, not from a place",
          remedy: "leave it out of the map")
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

extension BPFProgram {
  /// Why there is no SPEC for its kind.
  var reasonForNoPlace: String {
    if section == ".text" { return "it is a function without a section: SEC(\"…\") before it says where" }
    if type == .unspecified { return "its section '\(section)' is not known" }
    return runsInMaps
      ? "programs in section '\(section)' are called from entries of a map"
      : "programs of type \(type) are not attached here"
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
