import ArgumentParser
import Tracing

/// `moontrace completions SHELL`: the script by which a shell completes moontrace's command line.
struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Print the completion script of a shell.",
    discussion: """
      bash: moontrace completions bash > ~/.local/share/bash-completion/completions/moontrace
      zsh: moontrace completions zsh > DIRECTORY/_moontrace, where DIRECTORY is one of $fpath
      fish: moontrace completions fish > ~/.config/fish/completions/moontrace.fish
      """)

  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case bash
    case zsh
    case fish
  }

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  mutating func run() throws {
    try printToStandardOutput(script)
  }

  /// The argument parser's script knows of no default command, and nothing of recipes: lua-lib/completions/ adds it, by a
  /// function that takes the place of the script's own.
  private var script: String {
    let addition = Library.text("completions/moontrace.\(shell.rawValue)")
      .replacing("@OPTIONS_WITH_VALUES@", with: SessionOptions.namesWithValues.joined(separator: " "))
    switch shell {
    case .bash: return Self.script(.bash, addition, before: "\ncomplete ")
    case .zsh: return Self.script(.zsh, addition, before: "\nif [[ \"${funcstack[1]}\"")
    case .fish: return Moontrace.completionScript(for: .fish) + addition
    }
  }

  private static func script(_ shell: CompletionShell, _ addition: String, before end: String) -> String {
    Moontrace.completionScript(for: shell)
      .replacing("\n_moontrace() {\n", with: "\n__moontrace_command_line() {\n")
      .replacing(end, with: "\n\(addition)\(end.dropFirst())")
  }
}
