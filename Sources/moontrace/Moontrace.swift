import ArgumentParser
import Glibc
import Support

/// The command line: one file a command.
struct Moontrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "moontrace",
    abstract: "Trace a live Linux kernel from one Lua file.",
    version: version,
    subcommands: [
      RunCommand.self, TraceCommand.self, ReplCommand.self, BuildCommand.self, ListCommand.self, DoctorCommand.self,
      CheckCommand.self, InspectCommand.self, CompletionsCommand.self, NewCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  static let version = "0.1.0"
}

@main
enum EntryPoint {
  static func main() {
    var color = ColorChoice.auto
    do {
      var command = try Moontrace.parseAsRoot(BuildCommand.separated(Array(CommandLine.arguments.dropFirst())))
      if let command = command as? any TracingCommand { color = command.session.color }
      try command.run()
    } catch {
      leave(because: error, TextStyle(color, for: STDERR_FILENO))
    }
  }

  /// Says what went wrong, once, and ends with the exit code that SPEC §1 gives it.
  private static func leave(because error: any Error, _ style: TextStyle) -> Never {
    if let code = error as? ExitCode { exit(code.rawValue) }
    if let failure = error as? MoontraceError {
      printToStandardError("\(style.alarming("moontrace:")) \(failure.text(style))")
      exit(failure.code.rawValue)
    }
    let message = Moontrace.fullMessage(for: error)
    if Moontrace.exitCode(for: error) == .success {
      print(message)
      exit(0)
    }
    printToStandardError(message)
    exit(MoontraceError.Code.usage.rawValue)
  }
}

/// One line for the person at the terminal.
func printToStandardError(_ text: String) {
  try? writeAll(STDERR_FILENO, Array("\(text)\n".utf8), name: "stderr")
}
