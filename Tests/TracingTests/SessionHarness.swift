import Glibc
import LuaRuntime
import Support
import Testing

@testable import Tracing

/// A session whose script API is defined and whose output goes to a file of its own.
final class SessionHarness {
  let session: TracingSession
  private let path: String
  private var result = ""

  init(format: OutputFormat = .table, pid: Int32? = nil) throws {
    var template = Array("/tmp/moontrace-session-XXXXXX".utf8CString)
    close(mkstemp(&template))
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var configuration = SessionConfiguration()
    configuration.outputPath = path
    configuration.format = format
    configuration.pid = pid
    session = try TracingSession(ScriptSource(text: [], name: "x.lua"), configuration)
    try session.defineScriptFunctions()
    runtime.define("take_text") { [unowned self] call throws(MoontraceError) in
      result = try call.text(1)
      return []
    }
  }

  deinit { unlink(path) }

  var runtime: LuaRuntime { session.runtime }

  /// Makes the host functions global by their names, where the script API has no such name.
  func publish() throws(LuaFailure) {
    try run(library: "for k, v in pairs(...) do if rawget(_G, k) == nil then _G[k] = v end end")
  }

  func run(library text: String) throws(LuaFailure) {
    try runtime.run(library: text, name: "=[moontrace test]")
  }

  func run(_ text: String) throws(LuaFailure) {
    try runtime.run(script: Array(text.utf8), name: "@x.lua", arguments: [])
  }

  /// What `return …` gives, as text.
  func text(of text: String) throws -> String {
    try publish()
    try run("take_text(tostring((function() \(text) end)()))")
    return result
  }

  /// The error of a script that must fail.
  func error(_ text: String) -> String {
    do throws(LuaFailure) {
      try run(text)
      return "no error"
    } catch {
      return error.asError.description
    }
  }

  /// All that has been written to the output.
  func printed() throws -> String {
    session.output.flush()
    return String(decoding: try readFile(path), as: UTF8.self)
  }
}

/// Making maps in the kernel needs it.
