import ArgumentParser
import Support
import Tracing

/// `moontrace inspect TARGET`: what a program, package, script or recipe is and would do.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Tell what a program, package, script or recipe is, and run nothing.",
    discussion: """
      Of a program in C (FILE.bpf.c, FILE.bpf.o, package.json or .yaml, NAME.skel.json beside its object, an archive): \
      its programs with where they attach and the helpers they call, maps, options, the types of its events as C and \
      as offsets, what it needs of the kernel's types, license, size and SHA-256. Nothing is loaded, and no root is \
      needed.

      Of a script or recipe: its header, options, probes, maps and events. Its main part runs in its sandbox as by \
      'check', with the arguments behind TARGET; nothing is attached. Mistakes are told on stderr; the exit code is 1.

      --format json prints one object; "kind" says what the target is.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
  }

  @Option(name: .shortAndLong, help: "text, or json: one object.")
  var format: Format = .text

  @Option(help: ArgumentHelp("Grant fs.read, fs.write, net or exec (=scope).", valueName: "capability"))
  var allow: [String] = []

  @OptionGroup var remote: RemoteOptions

  @Argument(help: ArgumentHelp("What to look at, as for run.", valueName: "target"), completion: TargetCompletion.kind)
  var target: String

  @Argument(parsing: .captureForPassthrough, help: "A script's arguments, which may decide what it attaches to.")
  var arguments: [String] = []

  mutating func run() throws {
    var configuration = SessionConfiguration()
    // What a probe would change it changes only when it runs.
    try configuration.allow(allow + ["kernel.write"])
    configuration.arguments = arguments
    let source = try ResolvedTarget(target, remote).source
    if source.isProgram, let first = arguments.first {
      throw MoontraceError(.usage, "inspect: '\(first)' is for scripts, and \(source.name) is none")
    }
    switch try inspect(source, configuration) {
    case .program(let object): try show(object)
    case .script(let script): try show(script)
    }
  }

  private func show(_ object: ObjectDescription) throws {
    for note in object.notes { printToStandardError(note) }
    let text = format == .json ? InspectJSON.text(object) : InspectText.text(object).printable
    try printToStandardOutput(text)
  }

  private func show(_ script: ScriptDescription) throws {
    try printToStandardOutput(format == .json ? InspectJSON.text(script) : InspectText.text(script).printable)
    for problem in script.problems { printToStandardError(problem.text) }
    if let code = script.problems.exitCode { throw code }
  }
}
