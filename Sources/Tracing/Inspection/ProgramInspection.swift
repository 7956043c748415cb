import BPFAssembly
import KernelLoader
import Packages
import Support

/// Looks at the programs of an object: what they are, and where they would go.
struct ProgramInspection {
  private let object: BPFObject
  private let packaged: [String: PackagedProgram]

  init(_ object: BPFObject, _ meta: PackageMeta?) {
    self.object = object
    packaged = Dictionary((meta?.skeleton.programs ?? []).map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
  }

  func programs() throws(MoontraceError) -> [ObjectDescription.Program] {
    var programs: [ObjectDescription.Program] = []
    for program in object.programs { programs.append(try describe(program)) }
    return programs
  }

  private func describe(_ program: BPFProgram) throws(MoontraceError) -> ObjectDescription.Program {
    let package = packaged[program.name]
    var description = ObjectDescription.Program(
      name: program.name, type: "\(program.type)", section: program.section,
      annotations: (package?.other ?? []).map { "\($0.name)=\(String(decoding: $0.value.json(), as: UTF8.self))" },
      helpers: program.helperIDs.map(Helper.name), instructionCount: program.ownCount,
      kernelWrites: program.kernelWrites)
    try place(program, package, &description)
    if !program.isAutoloaded || package?.isAttached == false {
      description.notes.append("not attached unless --attach \(program.name)")
    }
    return description
  }

  /// Where its section or its package puts it.
  private func place(
    _ program: BPFProgram, _ package: PackagedProgram?, _ description: inout ObjectDescription.Program
  ) throws(MoontraceError) {
    do throws(MoontraceError) {
      guard let place = try ProgramPlacement(program, package, object) else {
        description.notes.append(
          program.exampleSpec.map { "attached nowhere without --attach \(program.name)=\($0)" }
            ?? "attached nowhere: \(program.reasonForNoPlace)")
        return
      }
      description.place = place.specs.map { $0?.description ?? program.section }.joined(separator: ", ")
      description.notes += place.notes
    } catch {
      // An interface that is not there says something of this machine, not of the package.
      guard error.code == .usage else { throw error }
      description.notes.append(error.message)
    }
  }
}
