import Glibc
import Support
import Testing

/// A process of the workload that has its id already, does its task when told to, and then stays until this value goes:
/// so a trace can be limited to it beforehand, and name its addresses afterwards.
final class HeldWorkload {
  let pid: pid_t
  private var input: Pipe
  private let output: Pipe

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  init(_ task: [String], path: String = MoontraceProcess.workload) throws {
    input = try Pipe()
    var output = try Pipe()
    pid = try Subprocess(
      path, ["hold"] + task, descriptors: [0: input.reading, 1: output.writing]
    ).pid
    output.closeWriting()
    self.output = output
  }

  convenience init(_ task: String...) throws { try self.init(task) }

  deinit {
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
  }

  /// Its process id as records hold it.
  var id: JSON { .integer(Int64(pid)) }

  /// Lets it do its task, and waits for that; the words that it printed.
  @discardableResult
  func run() throws -> [String] {
    try check("start the task") { write(input.writing, "\n", 1) }
    var text = ""
    while !text.hasSuffix("done 0\n") {
      guard let more = try read() else { throw Failure(description: "the workload failed: \(text)") }
      text += more
      if text.hasSuffix("\n"), text.contains("done "), !text.hasSuffix("done 0\n") {
        throw Failure(description: "the workload failed: \(text)")
      }
    }
    return text.dropLast("done 0\n".count).split { " \n".contains($0) }.map(String.init)
  }

  /// Waits until it sleeps: when it has done its task it waits for its end, but may still be on its way there.
  func waitUntilAsleep() throws {
    while true {
      let text = String(decoding: try readFile("/proc/\(pid)/stat"), as: UTF8.self)
      if text.split(separator: ")").last?.hasPrefix(" S ") == true { return }
      usleep(1000)
    }
  }

  /// Nil at the end, or after a minute.
  private func read() throws -> String? {
    var entry = pollfd(fd: output.reading, events: Int16(POLLIN), revents: 0)
    guard poll(&entry, 1, 60_000) == 1 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 256)
    let size = try check("read of the workload") { Glibc.read(output.reading, &bytes, bytes.count) }
    return size > 0 ? String(decoding: bytes.prefix(Int(size)), as: UTF8.self) : nil
  }
}

extension RecipeTests {
  /// Runs a recipe while a workload does its task; `%` in the options stands for its process id.
  func trace(_ options: [String], of load: HeldWorkload) throws -> [JSON] {
    try traceAndRead(options, of: load).records
  }

  /// The records, and the words that the workload printed.
  func traceAndRead(_ options: [String], of load: HeldWorkload) throws -> (records: [JSON], printed: [String]) {
    let process = try MoontraceProcess(["run", "-f", "json"] + options.map { $0 == "%" ? "\(load.pid)" : $0 })
    try process.waitForAttached()
    let printed = try load.run()
    return (try records(process.interrupt()), printed)
  }

  /// The values of the first aggregate among the records, each with the parts of its key.
  func values(_ records: [JSON]) throws -> [(key: [JSON], value: JSON)] {
    try (records.first?["data"]?.list ?? []).map {
      (key: try #require($0["key"]?.list), value: try #require($0["value"]))
    }
  }

  /// The ranges of a histogram's value.
  func ranges(_ histogram: JSON?) throws -> [(min: Int64, max: Int64, count: Int64)] {
    try (histogram?.list ?? []).map {
      (
        min: try #require($0["min"]?.integer), max: try #require($0["max"]?.integer),
        count: try #require($0["count"]?.integer)
      )
    }
  }

  /// How many values a histogram holds.
  func total(_ histogram: JSON?) throws -> Int64 {
    try ranges(histogram).reduce(0) { $0 + $1.count }
  }

  /// One column of records.
  func column(_ name: String, _ records: [JSON]) -> [JSON?] { records.map { $0[name] } }
}
