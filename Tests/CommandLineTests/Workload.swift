import Glibc
import Support

/// The program that does known things (Tests/Workload), under a name of this value's own, so that a trace can tell it
/// from the workloads of other tests by its comm.
final class Workload: Sendable {
  /// What the kernel calls its processes: at most 15 bytes.
  let name: String
  let path: String
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    name = "load\(UInt32.random(in: 0...0xff_ffff))"
    path = directory.path(name)
    let program = MoontraceProcess.workload
    let (path, name) = (self.path, self.name)
    try check("link \(name)") { symlink(program, path) }
  }

  /// Traces an action of the workload with a script, to the end of both; in the script `NAME` is what the workload's
  /// processes are called, `PATH` its executable.
  ///
  /// ```swift
  /// let run = try workload.trace("getppid 3", "probe('t:syscalls:sys_enter_getppid', function() … end)")
  /// ```
  func trace(
    _ action: String, _ lua: String, _ options: String..., arguments: [String] = []
  ) throws -> MoontraceProcess.Finished {
    let directory = try TemporaryDirectory()
    let text = lua.replacing("NAME", with: name).replacing("PATH", with: MoontraceProcess.workload)
    let script = try directory.write("x.lua", text)
    return try MoontraceProcess(["-c", "\(path) \(action) >/dev/null"] + options + [script] + arguments).wait()
  }
}
