import ArgumentParser
import REPL
import Tracing

/// `moontrace repl`.
struct ReplCommand: ParsableCommand, TracingCommand {
  static let configuration = CommandConfiguration(
    commandName: "repl",
    abstract: "Trace from the keyboard: each line of Lua runs when it is entered.",
    discussion: """
      A probe attaches when its line is entered, and its events print above the line that is being typed. Tab completes \
      names, probe specs and arguments; ':help' lists the commands. Ctrl-C stops what runs and clears the line, Ctrl-D \
      ends.

      When standard input is no terminal, the chunks that come there are run without prompts; the first that fails ends \
      the session.
      """)

  @OptionGroup var session: SessionOptions

  @Argument(help: ArgumentHelp("What chunks find in 'arg'.", valueName: "argument"))
  var arguments: [String] = []

  mutating func run() throws {
    var configuration = try session.configuration()
    configuration.arguments = arguments
    throw ExitCode(try runREPL(configuration))
  }
}
