import ArgumentParser
import Support
import Tracing

/// `moontrace run TARGET` and `moontrace run -e LUA`.
struct RunCommand: ParsableCommand, TracingCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a tracing script or recipe.",
    discussion: """
      TARGET is a Lua file, a program in C (FILE.bpf.c, FILE.bpf.o, package.json), - for Lua or a package on stdin, the \
      https:// address of one of these, or the name of a recipe: ./NAME.lua, then \
      ~/.config/moontrace/recipes/NAME.lua, then a built-in one. What follows TARGET belongs to it; \
      'moontrace run NAME --help' shows its options.

      Of a program in C, each global variable is an option. It is attached by its sections, its ring and perf buffers \
      are printed as events, and its maps as --sample or its package says.
      """)

  @OptionGroup var session: SessionOptions

  @OptionGroup(title: "Programs in C") var program: ProgramCommandOptions

  @OptionGroup(title: "Targets from the network") var remote: RemoteOptions

  @Option(
    help: ArgumentHelp(
      "Run what came over the network without asking, if this is its digest.", valueName: "sha256:hex"))
  var trust: [String] = []

  @Option(name: .customShort("e"), help: ArgumentHelp("Run this Lua text.", valueName: "lua"))
  var text: String?

  @Argument(
    parsing: .captureForPassthrough, help: ArgumentHelp("What to run, and its own options.", valueName: "target"),
    completion: TargetCompletion.kind)
  var target: [String] = []

  mutating func run() throws {
    var configuration = try session.configuration()
    configuration.program = program.configuration
    configuration.tracePipe = program.tracePipe
    configuration.outerOptions = SessionOptions.spellings
    let source: ScriptSource
    if let text {
      source = .text(text)
      configuration.arguments = target
    } else {
      guard let name = target.first else {
        throw ValidationError("Nothing to run: give a script, a recipe's name, or -e 'LUA'.")
      }
      try refuseUnknownOption(name)
      configuration.arguments = Array(target.dropFirst())
      source = try resolve(name, arguments: configuration.arguments)
    }
    if !source.isProgram, let option = program.given {
      throw ValidationError("\(option) is for programs in C, and \(source.name) is none.")
    }
    throw ExitCode(runSession(source, configuration))
  }

  /// Finds the target; what came over the network is first agreed to.
  private func resolve(_ name: String, arguments: [String]) throws(MoontraceError) -> ScriptSource {
    let target = try ResolvedTarget(name, remote, quiet: session.quiet)
    if !target.files.isEmpty { try Consent(target).obtain(trusted: trust, arguments: arguments) }
    return target.source
  }

  /// What stands where the target should and looks like an option, or like this command, is a mistake.
  private func refuseUnknownOption(_ text: String) throws {
    if text == Self.configuration.commandName {
      throw ValidationError("Options of run stand behind it: moontrace run [options] TARGET.")
    }
    guard text.hasPrefix("-"), text != "-" else { return }
    if text == "--help" || text == "-h" { throw CleanExit.helpRequest(self) }
    let name = String(text.prefix { $0 != "=" })
    let hint = suggestionHint(for: name, in: Self.optionNames)
    throw ValidationError("Unknown option '\(name)'\(hint). A script's own options stand behind its name.")
  }

  private static let optionNames =
    SessionOptions.names + ProgramCommandOptions.names + RemoteOptions.names + ["--trust", "--help", "--version"]
}
