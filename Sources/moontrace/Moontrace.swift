import ArgumentParser
import Glibc
import Support

/// The command line: one file a command.
struct Moontrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "moontrace",
    abstract: "Trace a live Linux kernel from one Lua file.",
    version: version,
    subcommands: [RunCommand.self, DoctorCommand.self],
    defaultSubcommand: RunCommand.self)

  static let version = "0.1.0"
}

@main
enum EntryPoint {
  static func main() {
    do {
      var command = try Moontrace.parseAsRoot()
      try command.run()
    } catch {
      leave(because: error)
    }
  }

  /// Says what went wrong, once, and ends with the exit code that SPEC §1 gives it.
  private static func leave(because error: any Error) -> Never {
    if let code = error as? ExitCode { exit(code.rawValue) }
    if let failure = error as? MoontraceError {
      printToStandardError("moontrace: \(failure)")
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
