import Glibc
import Support

/// A process that has its id already but becomes the wanted program only when told to.
final class GatedProcess {
  let pid: pid_t
  private let gate: OwnedDescriptor
  private let directory: TemporaryDirectory
  private var isReaped = false

  init(_ path: String, _ arguments: [String]) throws {
    directory = try TemporaryDirectory()
    let pipe = try Pipe()
    gate = OwnedDescriptor(try check("copy a pipe's end") { fcntl(pipe.writing, F_DUPFD_CLOEXEC, 10) })
    let script = "read line; exec \"$0\" \"$@\" >\(directory.path("out"))"
    pid = try Subprocess("/bin/sh", ["-c", script, path] + arguments, descriptors: [0: pipe.reading]).pid
  }

  deinit {
    guard !isReaped else { return }
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
  }

  /// Lets it go on, and waits for its end.
  func open() throws {
    try check("open the gate") { write(gate.number, "\n", 1) }
    try check("wait for process \(pid)") { waitpid(pid, nil, 0) }
    isReaped = true
  }

  /// What it wrote to stdout.
  func output() throws -> String { String(decoding: try readFile(directory.path("out")), as: UTF8.self) }
}
