import ArgumentParser
import Glibc
import Support
import Tracing

/// `moontrace doctor`: what this kernel and this user can and can't do, each with the remedy.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Show what this kernel and this user can and can't do, with the remedy.",
    discussion: """
      Everything is tried: programs that do nothing are loaded, attached and detached again. The exit code is 0 when \
      scripts on tracepoints can run, 3 when this user may not run them, 4 when this kernel can't.

      --format json prints one object: "release", "architecture", "uid"; "lockdown" (none, integrity, confidentiality); \
      the settings "bpf_jit_enable", "unprivileged_bpf_disabled", "perf_event_paranoid", "kptr_restrict"; "ready", \
      whether scripts on tracepoints can run; and "checks", a list of objects with "name", "group", "ok", "detail" \
      (what was found), "reason" (why not) and "remedy". What is unknown or does not apply is null.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
  }

  @Option(name: .shortAndLong, help: "How the report prints: text or json.")
  var format: Format = .text

  mutating func run() throws {
    let report = SystemReport.make()
    let text =
      switch format {
      case .text: DoctorText(report: report, style: TextStyle(.auto, for: STDOUT_FILENO)).text
      case .json: DoctorJSON.text(report)
      }
    do throws(SystemError) {
      try writeAll(STDOUT_FILENO, Array(text.utf8), name: "stdout")
    } catch {
      throw MoontraceError(.scriptFailed, "\(error)")
    }
    if let obstacle = report.obstacle { throw obstacle }
  }
}
