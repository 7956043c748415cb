import KernelLoader
import Packages
import Support

/// Where a program goes by what it says itself: its package's `attach_to`, else its section, else the package's fields for
/// `xdp` and `tc` programs.
struct ProgramPlacement {
  /// The field, and annotation, that names places.
  static let field = "attach_to"

  /// nil: by its section.
  private(set) var specs: [AttachSpec?] = []
  /// That nobody chose the place.
  private(set) var notes: [String] = []

  /// nil when nothing says where.
  ///
  /// - Throws: `.scriptFailed` for what makes no sense in a package, `.usage` for an interface that is not there.
  init?(_ program: BPFProgram, _ package: PackagedProgram?, _ object: BPFObject) throws(MoontraceError) {
    let fields = MemberReader(members: package?.other ?? [], place: "\(object.name): program '\(program.name)'")
    let texts = try fields.texts(Self.field)
    if !texts.isEmpty {
      for text in texts { specs.append(try Self.spec(text, program, fields)) }
    } else if program.namesTarget {
      specs = [nil]
    } else if package != nil, let place = try DefaultPlace(program, fields) {
      specs = [place.spec]
      notes = place.notes
    } else {
      return nil
    }
  }

  /// A place that an annotation names.
  private static func spec(
    _ text: String, _ program: BPFProgram, _ fields: MemberReader
  ) throws(MoontraceError) -> AttachSpec {
    let spec: AttachSpec
    do throws(MoontraceError) {
      spec = try AttachSpec(text)
    } catch {
      throw MoontraceError(
        .scriptFailed, "\(fields.place): '\(field)': \(error.message)", remedy: error.remedy)
    }
    try program.checkFit(spec)
    return spec
  }

  /// The places, each `*` as all that match.
  func steps(of program: BPFProgram) throws(MoontraceError) -> [AttachPlan.Step] {
    var steps: [AttachPlan.Step] = []
    for spec in specs {
      guard let spec = spec ?? program.globInSection else {
        steps.append(.init(program: program, spec: nil))
        continue
      }
      do throws(MoontraceError) {
        steps += try spec.expanded().map { .init(program: program, spec: $0) }
      } catch {
        throw MoontraceError(error.code, "program '\(program.name)': \(error.message)", remedy: error.remedy)
      }
    }
    return steps
  }
}

extension PackagedProgram {
  /// Whether it says itself where it goes, whatever its section is for.
  var namesPlace: Bool { other.contains { $0.name == ProgramPlacement.field } }
}
