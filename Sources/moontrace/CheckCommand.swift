import ArgumentParser
import Support
import Tracing

/// `moontrace check TARGET`: what is wrong with a script, without attaching anything.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a script and its probes, and attach nothing.",
    discussion: """
      The script's main part runs, in its sandbox, and its probes are compiled against this kernel's types; nothing is \
      loaded or attached, handlers and timers don't run, and what the script prints is dropped. It needs no root where \
      /sys/kernel/tracing can be read. Every mistake is told as FILE:LINE: MESSAGE on stderr, and the exit code is 1; \
      a script without mistakes is told nothing, or with --verbose how many probes it has.

      --format json prints an object a line on stdout for each mistake: "file", "line" (null when no line is to \
      blame), "severity" ("error"), "message", and "remedy" or null.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
  }

  @Option(name: .shortAndLong, help: "How mistakes print: text or json.")
  var format: Format = .text

  @Option(help: ArgumentHelp("Grant fs.read, fs.write, net or exec (=scope).", valueName: "capability"))
  var allow: [String] = []

  @Flag(name: .shortAndLong, help: "Say how many probes there are, and how many places they attach to.")
  var verbose = false

  @Option(name: .customShort("e"), help: ArgumentHelp("Check this Lua text.", valueName: "lua"))
  var text: String?

  @OptionGroup var remote: RemoteOptions

  @Argument(help: ArgumentHelp("What to check, as for run.", valueName: "target"), completion: TargetCompletion.kind)
  var target: String?

  @Argument(parsing: .captureForPassthrough, help: "The recipe's own options.")
  var arguments: [String] = []

  mutating func run() throws {
    var configuration = SessionConfiguration()
    // What a probe would change it changes only when it runs.
    try configuration.allow(allow + ["kernel.write"])
    let source = try resolveSource()
    configuration.arguments = (text == nil ? [] : target.map { [$0] } ?? []) + arguments
    let report = try checkScript(source, configuration)
    try tell(report, source)
    if let code = report.problems.exitCode { throw code }
  }

  private func resolveSource() throws -> ScriptSource {
    if let text { return .text(text) }
    guard let target else { throw ValidationError("Nothing to check: give a script, a recipe's name, or -e 'LUA'.") }
    return try ResolvedTarget(target, remote).source
  }

  private func tell(_ report: ScriptReport, _ source: ScriptSource) throws {
    switch format {
    case .text: report.problems.forEach { printToStandardError($0.text) }
    case .json: try printToStandardOutput(report.problems.map { Self.json($0) + "\n" }.joined())
    }
    guard verbose, report.problems.isEmpty else { return }
    let counts = [(report.probeCount, "probe"), (report.targetCount, "target")]
    let parts = counts.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }
    printToStandardError("\(source.name): \(parts.joined(separator: ", "))")
  }

  private static func json(_ problem: ScriptReport.Problem) -> String {
    JSONText.object([
      ("file", JSONText.quoted(problem.file)), ("line", problem.line.map(String.init) ?? "null"),
      ("severity", JSONText.quoted("error")), ("message", JSONText.quoted(problem.message)),
      ("remedy", JSONText.quoted(problem.remedy)),
    ])
  }
}
