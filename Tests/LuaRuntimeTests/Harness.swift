import CEventCore
import Glibc
import LuaRuntime
import Support

/// A runtime whose output can be read back.
final class Harness {
  private let output: UnsafeMutablePointer<mt_output>
  private let file: Int32
  let runtime: LuaRuntime

  /// The memory limit is small so that tests which reach it are quick; the time limit is only for those that set it,
  /// because sanitizers make everything slow.
  init(
    memory: Int = 32 << 20, milliseconds: UInt64 = 60_000, allow: [String] = [],
    modules: @escaping LuaRuntime.ModuleSource = { _ in nil }
  ) throws {
    var path = Array("/tmp/moontrace-output-XXXXXX".utf8CString)
    file = mkstemp(&path)
    unlink(path)
    output = .allocate(capacity: 1)
    output.initialize(to: mt_output())
    guard mt_output_open(output, file) else { throw SystemError("open the output", errno: ENOMEM) }
    let capabilities = try Capabilities(allowing: allow)
    runtime = try LuaRuntime(
      output: output, limits: .init(memoryBytes: memory, callbackNanoseconds: milliseconds * 1_000_000),
      modules: modules, permit: capabilities.refusal)
  }

  deinit {
    mt_output_close(output)
    output.deallocate()
    close(file)
  }

  /// Makes the host functions defined so far global, by their names.
  func publish() throws(LuaFailure) {
    try runtime.run(library: "for k, v in pairs(...) do _G[k] = v end", name: "=[moontrace test]")
  }

  func run(_ text: String, _ arguments: [String] = []) throws(LuaFailure) {
    try runtime.run(script: Array(text.utf8), name: "@x.lua", arguments: arguments)
  }

  /// All that has been printed.
  func printed() -> String {
    mt_output_flush(output)
    var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
    pread(file, &bytes, bytes.count, 0)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Runs a script that must fail, and says how.
  func failure(_ text: String) -> LuaFailure? {
    do throws(LuaFailure) {
      try run(text)
      return nil
    } catch {
      return error
    }
  }

  /// The error of a script that must fail, as users see it; "exit N" for an exit.
  func error(_ text: String) -> String {
    switch failure(text) {
    case nil: "no error; printed: \(printed())"
    case .exit(let code): "exit \(code)"
    case .error(let error): error.description
    }
  }
}

/// What a script prints in a fresh runtime.
func output(of text: String, _ arguments: [String] = [], allow: [String] = []) throws -> String {
  let harness = try Harness(allow: allow)
  try harness.run(text, arguments)
  return harness.printed()
}
