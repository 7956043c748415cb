import Support

/// Runs shell commands to their end; `$0` in them is the executable under test.
///
/// ```swift
/// let run = try runShell("cd /tmp && \"$0\" --version")
/// ```
func runShell(
  _ commands: String, program: String = MoontraceProcess.executable, shell: String = "/bin/sh"
) throws -> MoontraceProcess.Finished {
  let directory = try TemporaryDirectory()
  let line = "{ \(commands)\n} >\(directory.path("out")) 2>\(directory.path("err"))"
  let status = try Subprocess(shell, ["-c", line, program]).wait()
  func text(_ name: String) throws -> String { String(decoding: try readFile(directory.path(name)), as: UTF8.self) }
  return MoontraceProcess.Finished(status: status, output: try text("out"), errors: try text("err"))
}

/// Where the sources stand.
let sourceDirectory = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
