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

  @Option(
    help: ArgumentHelp(
      "Put an entry into a map before the program runs: pids=812; the value is 1.", valueName: "map=key:value"))
  var put: [String] = []

  @Option(
    help: ArgumentHelp("The cgroup that the program compares with, where it has a map for one.", valueName: "path"))
  var cgroup: String?

  @Flag(help: "Print what programs write with bpf_printk.")
  var tracePipe = false

  static let names = ["--attach", "--event", "--sample", "--put", "--cgroup", "--trace-pipe"]

  var configuration: ProgramConfiguration {
    var configuration = ProgramConfiguration()
    configuration.attach = attach
    configuration.events = event
    configuration.samples = sample
    configuration.entries = put
    configuration.cgroup = cgroup
    return configuration
  }

  /// An option that was given and that a script has no use for.
  var given: String? {
    let uses = [
      ("--attach", attach), ("--event", event), ("--sample", sample), ("--put", put),
      ("--cgroup", cgroup.map { [$0] } ?? []),
    ]
    return uses.first { !$0.1.isEmpty }?.0
  }
}
