import Glibc
import Registry
import Support
import Tracing

/// What came over the network runs when its digest is trusted, or when the person at the terminal says yes to it.
struct Consent {
  private let files: [RemoteFile]
  private let source: ScriptSource

  init(_ target: ResolvedTarget) {
    files = target.files
    source = target.source
  }

  /// Returns when it may run, and throws `.notPermitted` when nobody agreed.
  ///
  /// - Parameters:
  ///   - trusted: the digests of `--trust`.
  ///   - arguments: the target's own, which may decide what it attaches to.
  func obtain(trusted: [String], arguments: [String]) throws(MoontraceError) {
    let known = try TrustedDigests(given: trusted)
    let strange = files.filter { !known.contains($0.digest) }
    if strange.isEmpty { return }
    printToStandardError(try summary(arguments).printable)
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
      let options = strange.map { "--trust \($0.digest)" }.joined(separator: " ")
      throw MoontraceError(
        .notPermitted, "\(files[0].address): it came over the network, and nobody here has agreed to run it",
        remedy: "look at it with 'moontrace inspect', then say \(options)")
    }
    try ask()
    try known.add(strange)
  }

  private func ask() throws(MoontraceError) {
    try? writeAll(STDERR_FILENO, Array("Run it, now and whenever it is the same? [y/N] ".utf8), name: "stderr")
    let answer = readLine()?.lowercased()
    guard answer == "y" || answer == "yes" else {
      throw MoontraceError(.notPermitted, "\(files[0].address): not run")
    }
  }

  // MARK: What it is

  private func summary(_ arguments: [String]) throws(MoontraceError) -> String {
    var configuration = SessionConfiguration()
    configuration.arguments = source.isProgram ? [] : arguments
    // What a probe would change it changes only when it runs, and then it must be allowed to.
    try configuration.allow(["kernel.write"])
    let facts =
      switch try inspect(source, configuration) {
      case .program(let object): Self.facts(object)
      case .script(let script): Self.facts(script)
      }
    let origin = files.map { [["from", "\($0.address)"], ["digest", "\($0.digest)"]] }.joined()
    return "\(source.shortName)\n" + TextTable(rows: facts + origin).text().dropLast()
  }

  private static func facts(_ object: ObjectDescription) -> [[String]] {
    let helpers = Set(object.programs.flatMap(\.helpers) + object.subprogramHelpers).sorted()
    let dangers = object.programs.flatMap { program in program.kernelWrites.map { "\(program.name): \($0)" } }
    return fact("does", object.summary.map { [$0] } ?? [])
      + fact("attaches to", object.programs.map { $0.place ?? "\($0.section) (when asked for)" })
      + fact("calls", lines(of: helpers)) + fact("changes", dangers)
  }

  private static func facts(_ script: ScriptDescription) -> [[String]] {
    let places = script.probes.map { $0.targets.count > 1 ? "\($0.spec) (\($0.targets.count) places)" : $0.spec }
    return fact("does", script.header.map { [$0.summary] } ?? [])
      + fact("needs", (script.header?.needs ?? []).map { "--allow \($0)" })
      + fact("attaches to", places) + fact("calls", lines(of: Set(script.probes.flatMap(\.helpers)).sorted()))
      + fact("says", script.obstacle.map { [$0] } ?? [])
      + fact("has mistakes", script.problems.map(\.text))
  }

  private static func fact(_ name: String, _ values: [String]) -> [[String]] {
    values.enumerated().map { [$0 == 0 ? name : "", $1] }
  }

  /// Names in lines that fit a terminal.
  private static func lines(of names: [String]) -> [String] {
    var lines: [String] = []
    for name in names {
      if let last = lines.last, last.count + name.count < 90 {
        lines[lines.count - 1] = "\(last), \(name)"
      } else {
        lines.append(name)
      }
    }
    return lines
  }
}
