import ArgumentParser
import Tracing

/// The options of `run` that concern programs written in C.
struct ProgramCommandOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Attach a program where SPEC says: drop=xdp:eth0; =none leaves it out; PROGRAM alone asks for one marked SEC(\"?…\").",
      valueName: "program=spec"))
  var attach: [String] = []

  @Option(help: ArgumentHelp("How the records of a buffer read: events='struct event'.", valueName: "map=type"))
  var event: [String] = []

  @Option(
    help: ArgumentHelp(
      "Show a map each second, or so many milliseconds: counts, counts=table,500; forms: table, log2, linear.",
      valueName: "map=form,ms"))
  var sample: [String] = []

  @Flag(help: "Print what programs write with bpf_printk.")
  var tracePipe = false

  static let names = ["--attach", "--event", "--sample", "--trace-pipe"]

  var configuration: ProgramConfiguration {
    var configuration = ProgramConfiguration()
    configuration.attach = attach
    configuration.events = event
    configuration.samples = sample
    return configuration
  }

  /// An option that was given and that a script has no use for.
  var given: String? {
    let uses = [("--attach", attach), ("--event", event), ("--sample", sample)]
    return uses.first { !$0.1.isEmpty }?.0
  }
}
