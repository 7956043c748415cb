import KernelLoader
import Packages
import Support

/// Checks what the comment of a program says, which is written into a package as it comes and read when it is attached.
struct ProgramAnnotations {
  /// Why the program can't be attached to a place; nil when it can.
  let misfit: (AttachSpec) -> MoontraceError?

  /// Throws at the annotation when it makes no sense.
  func check(_ annotation: Annotation) throws(MoontraceError) {
    let value = try annotation.value()
    switch (annotation.key, value) {
    case ("attach", _):
      throw annotation.failure(
        " is what the section says", remedy: "write @\(ProgramPlacement.field) and where the program goes")
    case (ProgramPlacement.field, _): try checkPlaces(annotation, value)
    case ("ifindex", .integer(let number)) where number > 0: break
    case ("flags", .integer(let number)) where number >= 0: break
    case ("ifindex", _), ("flags", _): throw annotation.failure(": a number is needed, this is '\(annotation.text)'")
    case ("xdpopts", .object), ("tcopts", .object): break
    case ("tchook", .object(let members)): try checkHook(annotation, members)
    case ("xdpopts", _), ("tcopts", _), ("tchook", _): throw annotation.failure(": an object is needed: {…}")
    default: break
    }
  }

  /// What other loaders may honour, but this one refuses.
  func warning(_ annotation: Annotation) -> MoontraceError? {
    guard let value = try? annotation.value() else { return nil }
    switch (annotation.key, value) {
    case ("flags", .integer(let number)):
      return DefaultPlace.refusal(ofFlags: number).map { annotation.failure(" \(number) can't be run here: \($0)") }
    case ("tchook", .object(let members)) where members.contains { $0.value == .string("BPF_TC_CUSTOM") }:
      return annotation.failure(" can't be run here: \(DefaultPlace.noCustomPoint)")
    default: return nil
    }
  }

  private func checkPlaces(_ annotation: Annotation, _ value: JSONValue) throws(MoontraceError) {
    let fields = MemberReader(members: [JSONMember(annotation.key, value)], place: "")
    guard let texts = try? fields.texts(annotation.key), !texts.isEmpty else {
      throw annotation.failure(": a place is needed, or a list of places", remedy: "such as profile:99")
    }
    for text in texts {
      do throws(MoontraceError) {
        let spec = try AttachSpec(text)
        if let error = misfit(spec) { throw error }
      } catch {
        throw annotation.failure(": \(error.message)", remedy: error.remedy)
      }
    }
  }

  private func checkHook(_ annotation: Annotation, _ members: [JSONMember]) throws(MoontraceError) {
    guard case .string(let point)? = members.first(where: { $0.name == "attach_point" })?.value else { return }
    guard !Self.attachPoints.contains(point) else { return }
    throw annotation.failure(
      ".attach_point: '\(point)' is unknown\(suggestionHint(for: point, in: Self.attachPoints))",
      remedy: "there are \(Self.attachPoints.joined(separator: ", "))")
  }

  private static let attachPoints = ["BPF_TC_INGRESS", "BPF_TC_EGRESS", "BPF_TC_CUSTOM"]
}
