import ArgumentParser
import Recipes
import Support
import Tracing

/// The options that `run` and every other command that traces share; they stand before the target.
struct SessionOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "Trace only this process; end when it does.")
  var pid: Int32?

  @Option(name: .shortAndLong, help: "Start this command once probes are live; end with it.")
  var command: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("End after this long (5, 1.5, 100ms, 2m).", valueName: "seconds"))
  var duration: String?

  @Option(name: [.customShort("n"), .long], help: "End after this many events.")
  var maxEvents: UInt64?

  @Option(name: .shortAndLong, help: "How events print: table, json or csv.")
  var format: OutputFormat = .table

  @Option(name: .shortAndLong, help: ArgumentHelp("Write data to this file.", valueName: "file"), completion: .file())
  var output: String?

  @Option(help: ArgumentHelp("Write a page about the run: tables, pictures, time lines.", valueName: "file.html"))
  var report: String?

  @Option(help: ArgumentHelp("Size of every ring buffer, such as 8M.", valueName: "size"))
  var buffer: String?

  @Option(help: ArgumentHelp("Grant fs.read, fs.write, net, exec or kernel.write (=scope).", valueName: "capability"))
  var allow: [String] = []

  @Flag(name: .shortAndLong, help: "Say nothing on stderr but errors.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Show whole verifier logs and tracebacks.")
  var verbose = false

  @Flag(help: "On exit: events, losses, and each program's run count and mean time.")
  var stats = false

  @Flag(help: "Redraw aggregates, or what every() prints, each second; keys sort, pause and quit.")
  var top = false

  @Option(
    help: ArgumentHelp("Colours: auto (on a terminal, unless NO_COLOR is set), always or never.", valueName: "when"))
  var color: ColorChoice = .auto

  @Flag(help: "End at the first error in a handler or timer.")
  var strict = false

  @Option(help: "Print the probes as bytecode, ir or bpf, their cost or their targets, and attach nothing.")
  var dump: DumpStage?

  /// The long names of all options, for suggestions.
  static let names = [
    "--pid", "--command", "--duration", "--max-events", "--format", "--output", "--report", "--buffer", "--allow",
    "--quiet", "--verbose", "--stats", "--top", "--color", "--strict", "--dump",
  ]

  /// Every spelling of an option of `run`.
  static let spellings = Array(Set(names + ProgramCommandOptions.names + namesWithValues + ["-q", "-v"]))

  /// The options of `run` that the next word is the value of.
  static let namesWithValues = [
    "--pid", "-p", "--command", "-c", "--duration", "-d", "--max-events", "-n", "--format", "-f", "--output", "-o",
    "--report", "--buffer", "--allow", "--color", "--dump", "-e", "--attach", "--event", "--sample", "--put",
    "--cgroup",
    "--trust",
  ]

  /// The options as a session's configuration; bad values are usage errors that name the option.
  func configuration() throws(MoontraceError) -> SessionConfiguration {
    var configuration = SessionConfiguration()
    configuration.pid = pid
    configuration.command = command
    configuration.maxEvents = maxEvents
    configuration.format = format
    configuration.outputPath = output
    configuration.reportPath = report
    try configuration.allow(allow)
    configuration.quiet = quiet
    configuration.verbose = verbose
    configuration.statistics = stats
    configuration.strict = strict
    configuration.top = top
    configuration.color = color
    configuration.dump = dump
    if let duration { configuration.duration = try seconds(duration) }
    if let buffer { configuration.ringBufferSize = try bytes(buffer) }
    if let maxEvents, maxEvents == 0 { throw usage("--max-events: expected a number above 0") }
    if let pid, pid <= 0 { throw usage("--pid: expected a process id above 0, got \(pid)") }
    return configuration
  }

  private func seconds(_ text: String) throws(MoontraceError) -> Double {
    guard let value = try? parseDuration(text), value > 0 else {
      throw usage("--duration: expected seconds above 0 such as 5, 1.5 or 100ms, got '\(text)'")
    }
    return value
  }

  private func bytes(_ text: String) throws(MoontraceError) -> Int {
    guard let value = try? parseSize(text), (4096...(1 << 31)).contains(value) else {
      throw usage("--buffer: expected a size from 4K to 2G such as 8M, got '\(text)'")
    }
    return value
  }

  private func usage(_ message: String) -> MoontraceError {
    MoontraceError(.usage, message)
  }
}

/// A command that traces, whose `--color` also holds for what goes wrong outside of the trace.
protocol TracingCommand {
  var session: SessionOptions { get }
}

extension ColorChoice: ExpressibleByArgument {}
extension OutputFormat: ExpressibleByArgument {}
extension DumpStage: ExpressibleByArgument {}
