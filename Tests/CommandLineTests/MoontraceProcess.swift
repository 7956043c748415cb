import FileTestSupport
import Glibc
import Support

/// As all tests of this target use it.
typealias TemporaryDirectory = FileTestSupport.TemporaryDirectory

/// The executable under test, run as a user runs it.
final class MoontraceProcess {
  struct Finished {
    var status: Int32
    var output: String
    var errors: String

    var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) }
  }

  let pid: pid_t
  private let directory: TemporaryDirectory
  private var notify: Pipe
  private var isReaped = false

  /// Starts moontrace. Its data and errors go to files, so that no pipe can fill up and stop it, unless `output` says
  /// where the data goes.
  init(
    _ arguments: [String], executable: String = MoontraceProcess.executable, input: String = "",
    environment: [String] = [], output data: Int32? = nil
  ) throws {
    let directory = try TemporaryDirectory()
    self.directory = directory
    notify = try Pipe()
    try writeFile(directory.path("in"), Array(input.utf8))
    let input = OwnedDescriptor(try check("open input") { open(directory.path("in"), O_RDONLY | O_CLOEXEC) })
    let output = try Self.create(directory.path("out"))
    let errors = try Self.create(directory.path("err"))
    let writing = notify.writing
    let child = try Subprocess(
      executable, arguments,
      descriptors: [0: input.number, 1: data ?? output.number, 2: errors.number, 9: writing],
      environment: ["MOONTRACE_NOTIFY_FD=9"] + environment)
    pid = child.pid
    notify.closeWriting()
  }

  deinit {
    if !isReaped {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }

  /// The executable that scripts/test names (a release build), or the one beside the tests.
  static var executable: String {
    getenv("MOONTRACE_TEST_EXECUTABLE").map { absolute(String(cString: $0)) } ?? "\(buildDirectory)/moontrace"
  }

  /// Tests/Workload; scripts/test names a plain build for sanitizer runs, whose own threads and calls would be counted.
  static var workload: String {
    getenv("MOONTRACE_TEST_WORKLOAD").map { absolute(String(cString: $0)) } ?? "\(buildDirectory)/workload"
  }

  /// Where the test bundle and what it was built with stand.
  static let buildDirectory: String = {
    let tests = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
    return absolute(tests).split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
  }()

  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
    defer { free(directory) }
    return "\(String(cString: directory))/\(path)"
  }

  private static func create(_ path: String) throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(try check("create \(path)") { open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) })
  }

  struct NotAttached: Error, CustomStringConvertible {
    var description: String
  }

  /// Waits until all probes are live. Throws what moontrace said when it ends instead, or after a minute.
  func waitForAttached() throws {
    var entry = pollfd(fd: notify.reading, events: Int16(POLLIN), revents: 0)
    var byte: UInt8 = 0
    guard poll(&entry, 1, 60_000) == 1, read(notify.reading, &byte, 1) == 1 else {
      throw NotAttached(description: "not attached: \(try text("err"))")
    }
  }

  func signal(_ number: Int32) {
    kill(pid, number)
  }

  /// Waits for the end.
  func wait() throws -> Finished {
    var status: Int32 = 0
    try check("wait for moontrace") { waitpid(pid, &status, 0) }
    isReaped = true
    let signal = status & 0x7f
    return Finished(
      status: signal == 0 ? (status >> 8) & 0xff : 128 + signal, output: try text("out"), errors: try text("err"))
  }

  /// Interrupts as Ctrl-C does, and waits for the orderly end.
  func interrupt() throws -> Finished {
    signal(SIGINT)
    return try wait()
  }

  /// What has been written so far to stdout.
  func outputSoFar() throws -> String { try text("out") }

  private func text(_ name: String) throws -> String {
    String(decoding: try readFile(directory.path(name)), as: UTF8.self)
  }
}

/// Runs moontrace to its end.
func moontrace(
  _ arguments: String..., input: String = "", environment: [String] = []
) throws -> MoontraceProcess.Finished {
  try MoontraceProcess(arguments, input: input, environment: environment).wait()
}
