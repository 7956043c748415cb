import ArgumentParser
import Support
import Tracing

extension ScriptReport.Problem {
  /// `FILE:LINE: MESSAGE (REMEDY)`.
  var text: String {
    "\(MoontraceError(code, message, remedy: remedy, location: line.map { "\(file):\($0)" } ?? file))"
  }
}

extension [ScriptReport.Problem] {
  /// What a command ends with because of them; nil when there are none.
  var exitCode: ExitCode? {
    if isEmpty { return nil }
    // What could not be read is no mistake of the script's.
    let isMistaken = contains { $0.code != .notPermitted }
    return ExitCode((isMistaken ? MoontraceError.Code.scriptFailed : .notPermitted).rawValue)
  }
}
