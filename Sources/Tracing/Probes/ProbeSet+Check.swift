import KernelLoader
import Support

/// What `checkScript` does in place of registering a probe.
extension ProbeSet {
  /// Compiles a probe function for each SPEC of a request, and keeps what is wrong in ``problems``.
  ///
  /// Kinds of probes that this kernel does not have are compiled too: finding out takes rights and loads programs, and
  /// what is checked here may be meant for other kernels.
  func check(_ request: Request) {
    nameObjects()
    var absent: [(spec: String, error: MoontraceError)] = []
    for spec in request.specs {
      do throws(MoontraceError) {
        guard let problem = try check(spec, request) else { continue }
        absent.append((spec, problem))
      } catch {
        note(error, request)
      }
    }
    if request.takesFirst, !request.isOptional, absent.count == request.specs.count {
      note(Self.noneWorks(absent), request)
    }
  }

  /// Throws what is wrong; returns why there is no such place where that is no mistake yet.
  private func check(_ spec: String, _ request: Request) throws(MoontraceError) -> MoontraceError? {
    let sites: [ProbeSite]
    do throws(MoontraceError) {
      let target = try AttachSpec(spec)
      sites = try ProbeSite.sites(of: target, checksKind: false)
      if !spec.utf8.contains(UInt8(ascii: "*")) { try target.checkPlace() }
    } catch {
      guard request.isOptional || request.takesFirst, error.meansNoMatch else { throw error }
      return error
    }
    try add(sites, spec, request)
    return nil
  }

  /// Of a function that several SPECs have in common, each mistake is kept once.
  private func note(_ problem: MoontraceError, _ request: Request) {
    var problem = problem
    problem.location = problem.location ?? request.location
    if !problems.contains(problem) { problems.append(problem) }
  }
}
