import ArgumentParser
import Recipes
import Support

/// `moontrace new NAME`: a project directory with a tool that runs and its test.
struct NewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Make a project: a recipe that runs as it stands, with its test.",
    discussion: """
      NAME/ gets NAME.lua (a recipe with an option and a probe), test.sh, README.md, and what editors with the Lua \
      language server need to complete and explain the functions of scripts. With --c the kernel half is a program in \
      C, NAME.bpf.c.
      """)

  @Flag(name: .customLong("c"), help: "Write the kernel half in C.")
  var isC = false

  @Argument(help: ArgumentHelp("The tool's name, or the path of its directory.", valueName: "name"))
  var path: String

  mutating func run() throws {
    let directory = path.last == "/" ? String(path.dropLast()) : path
    let name = directory.split(separator: "/").last.map(String.init) ?? directory
    try Self.check(name)
    try Project(name: name, kind: isC ? .c : .lua).write(to: directory)
    try printToStandardOutput(
      """
      Made \(directory)/. Try:
        cd \(directory)
        moontrace \(name).lua
        ./test.sh

      """)
  }

  /// The recipe's name is the directory's.
  private static func check(_ name: String) throws(MoontraceError) {
    do throws(MoontraceError) {
      _ = try RecipeHeader(.table(["name": .string(name)]))
    } catch {
      throw MoontraceError(.usage, "new: '\(name)' is no name for a tool", remedy: error.remedy)
    }
  }
}
