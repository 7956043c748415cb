import BPFAssembly
import LuaRuntime
import Support

/// What checking a script has found.
public struct ScriptReport: Sendable {
  /// A mistake in a script.
  public struct Problem: Sendable {
    /// The path by which the script was named, or what else its text came from.
    public var file: String
    /// From 1; nil when no line is to blame.
    public var line: Int?
    public var message: String
    /// What to do about it.
    public var remedy: String?
    public var code: MoontraceError.Code
  }

  /// In the order in which they were found; empty when nothing is wrong.
  public var problems: [Problem]
  /// Calls of `probe`, and programs of objects that would have been attached.
  public var probeCount: Int
  /// The places that they would have been attached to.
  public var targetCount: Int
}

/// Runs a script's main chunk and compiles its probes, but loads and attaches nothing: no events come, no handlers and
/// timers run, and what the script prints is dropped. Needs no rights beyond reading the kernel's types and tracefs.
///
/// ```swift
/// let report = try checkScript(try .resolve("opensnoop"), SessionConfiguration())
/// ```
///
/// - Throws: `.usage` when the recipe does not take the arguments; what is wrong with the script is in the report.
public func checkScript(
  _ source: ScriptSource, _ configuration: SessionConfiguration
) throws(MoontraceError) -> ScriptReport {
  var configuration = configuration
  configuration.checksOnly = true
  configuration.outputPath = "/dev/null"
  return try TracingSession(source, configuration).check()
}

extension TracingSession {
  /// The whole of a run that is only a check.
  func check() throws(MoontraceError) -> ScriptReport {
    defer { for object in objects { object.close() } }
    try defineScriptFunctions()
    do throws(LuaFailure) {
      try runMainChunk()
      // Types that nothing shows may only be missing because the probe that shows them was refused.
      if probes.problems.isEmpty { compileProbes() }
    } catch {
      try note(problem: error)
    }
    return report
  }

  private func compileProbes() {
    do throws(MoontraceError) {
      probes.helpers = try probes.compile().map { Instruction.helpers(in: $0.program.instructions) }
    } catch {
      probes.problems.append(asScriptError(error))
    }
  }

  private func note(problem: LuaFailure) throws(MoontraceError) {
    guard case .error(var error) = problem else { return }
    error.location = error.code == .usage ? nil : error.location
    if error.code == .usage { throw error }
    probes.problems.append(error)
  }

  private var report: ScriptReport {
    let programs = objects.reduce(0) { $0 + $1.wouldAttach.count }
    return ScriptReport(
      problems: probes.problems.map { ScriptReport.Problem($0, in: source) },
      probeCount: Set(probes.registrations.map(\.stream)).count + programs,
      targetCount: probes.registrations.reduce(programs) { $0 + $1.targets.count })
  }
}

extension ScriptReport.Problem {
  fileprivate init(_ error: MoontraceError, in source: ScriptSource) {
    let parts = error.location?.split(separator: ":") ?? []
    let line = parts.last.flatMap { Int($0) }
    let name = parts.dropLast().joined(separator: ":")
    self.init(
      file: line == nil || source.isCalled(name) ? source.name : name, line: line, message: error.message,
      remedy: error.remedy, code: error.code)
  }
}

extension ScriptSource {
  /// Whether Lua means this text by a name. It shortens long ones to `...` and their end (`luaO_chunkid`).
  fileprivate func isCalled(_ name: String) -> Bool {
    name == shortName || name.hasPrefix("...") && shortName.hasSuffix(name.dropFirst(3))
  }
}
