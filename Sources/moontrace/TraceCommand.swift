import ArgumentParser
import Support
import Tracing

/// `moontrace trace PROBE ACTION [PROBE ACTION]...`
struct TraceCommand: ParsableCommand, TracingCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Trace with a one-liner: what to do at which probe.",
    usage: "moontrace trace [options] PROBE ACTION [PROBE ACTION]... [--if EXPR]",
    discussion: """
      An ACTION that is a list of expressions is an event, with a column for each, named after its text. Anything else is \
      the body of a probe function in Lua: statements, or calls such as count(comm), hist(args.ret), print(comm).

        moontrace trace t:syscalls:sys_enter_openat 'pid, comm, str(args.filename)'
        moontrace trace t:raw_syscalls:sys_enter 'count(comm)' -d 5
        moontrace trace t:syscalls:sys_exit_read 'if args.ret > 0 then hist(args.ret, comm) end'
        moontrace trace t:syscalls:sys_enter_read 'start[tid] = nsecs' \\
          t:syscalls:sys_exit_read 'if start[tid] then hist(nsecs - start[tid]) start[tid] = nil end'

      Names that nobody has declared are shared by all actions: start[tid] = nsecs makes a map, calls = calls + 1 a \
      number that begins with 0. What they hold is shown at the end, except for maps from which entries are deleted. \
      { ms = (nsecs - start[tid]) // 1000000 } names a column.

      --if EXPR lets an action run only where EXPR holds. It belongs to the pair that it stands in or behind; before \
      the first PROBE it belongs to all. PROBE may be several with commas between; 'moontrace list' shows which there \
      are, with -v what each hands over. Options may stand anywhere; an ACTION that begins with - needs a blank before \
      it.
      """)

  @OptionGroup var session: SessionOptions

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp("Probes and actions, in pairs; --if EXPR.", valueName: "probe-action"),
    completion: .custom { _, _, prefix in ProbeCompletion.offers(for: prefix) })
  var words: [String] = []

  mutating func run() throws {
    let configuration = try session.configuration()
    if let option = words.first(where: { $0.hasPrefix("-") && $0 != "--if" && !$0.hasPrefix("--if=") }) {
      throw try refusal(of: option)
    }
    throw ExitCode(runSession(try OneLiner(words).script(), configuration))
  }

  /// No option has that name, or it is an action.
  private func refusal(of word: String) throws -> MoontraceError {
    if word == "--help" || word == "-h" { throw CleanExit.helpRequest(self) }
    let name = String(word.prefix { $0 != "=" })
    let hint = suggestionHint(for: name, in: SessionOptions.names + ["--if", "--help"])
    return MoontraceError(
      .usage, "trace: there is no option '\(name)'\(hint)",
      remedy: "an action that begins with - needs a blank before it: ' \(word)'")
  }
}
