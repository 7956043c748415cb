import ArgumentParser
import Glibc
import KernelLoader
import Support
import Tracing

/// `moontrace list`: what can be probed here, kernel types, and what a script would attach.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List what can be probed here, kernel types, or what a script would attach.",
    discussion: """
      Without a pattern it lists the kinds of probes, and how many there are. A pattern may hold *:

        moontrace list '*open*'                     in all kinds of the kernel
        moontrace list -v t:syscalls:sys_enter_open*   with arguments, as Lua sees them
        moontrace list 'k:vfs_*'                    kprobe; f: fentry, rt: rawtracepoint, it: iter, s: software …
        moontrace list 'u:libc:mem*'                functions of a library or program
        moontrace list usdt:/usr/bin/python3        USDT probes of a program
        moontrace list 'struct task_*'              names of kernel types (also union, enum, typedef)
        moontrace list 'struct task_struct'         one type as C, with offsets
        moontrace list -f opensnoop                 what a script or recipe would attach; nothing is attached

      When nothing matches the exit code is 1, as grep's is. Kinds that this kernel can't attach are listed all the same; \
      stderr says so.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case table
    case json
  }

  @Flag(name: .shortAndLong, help: "With arguments and their types; with -e and -f, every place that * stands for.")
  var verbose = false

  @Option(help: "table, or json: one object a line.")
  var format: Format = .table

  @Option(name: .customShort("e"), help: ArgumentHelp("What this Lua text would attach.", valueName: "lua"))
  var text: String?

  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp("What this script or recipe would attach.", valueName: "script"))
  var script: String?

  @Argument(help: ArgumentHelp("What to look for; with -e and -f, the script's arguments.", valueName: "pattern"))
  var words: [String] = []

  mutating func run() throws {
    if let text { throw ExitCode(showTargets(.text(text))) }
    if let script { throw ExitCode(showTargets(try .resolve(script))) }
    guard words.count < 2 else {
      throw ValidationError("One pattern, not \(words.count): quote it, so that the shell leaves * and blanks alone.")
    }
    try printToStandardOutput(try listing(words.first ?? ""))
  }

  private func showTargets(_ source: ScriptSource) -> Int32 {
    var configuration = SessionConfiguration()
    configuration.dump = .targets
    configuration.verbose = verbose
    configuration.format = format == .json ? .json : .table
    configuration.arguments = words
    return runSession(source, configuration)
  }

  private func listing(_ pattern: String) throws(MoontraceError) -> String {
    if pattern.isEmpty { return try KindListing().text(format) }
    if TypeCatalog.isType(pattern) { return try types(pattern) }
    let groups = try ProbeCatalog.probes(matching: pattern)
    for group in groups { Self.warn(of: group.kind) }
    return try ProbeListing(groups: groups, showsArguments: verbose).text(format)
  }

  private func types(_ pattern: String) throws(MoontraceError) -> String {
    let names: [TypeCatalog.Name]
    if pattern.contains("*") || !pattern.contains(" ") {
      names = try TypeCatalog.names(matching: pattern)
      if names.isEmpty { throw MoontraceError(.scriptFailed, "nothing matches '\(pattern)'") }
    } else {
      let definition = try TypeCatalog.definition(of: pattern)
      if format == .table { return definition }
      return JSONText.object([
        ("type", JSONText.quoted(pattern)), ("definition", JSONText.quoted(definition)),
      ]) + "\n"
    }
    if format == .table { return names.map { $0.text + ($0.module.map { "  [\($0)]" } ?? "") + "\n" }.joined() }
    return names.map { name in
      JSONText.object([("type", JSONText.quoted(name.text)), ("module", JSONText.quoted(name.module))]) + "\n"
    }.joined()
  }

  private static func warn(of kind: ProbeCatalog.Kind) {
    guard let obstacle = kind.obstacle else { return }
    let remedy = obstacle.remedy.map { " (\($0))" } ?? ""
    printToStandardError("\(kind.rawValue): this kernel can't attach these: \(obstacle.reason ?? "")\(remedy)")
  }
}
