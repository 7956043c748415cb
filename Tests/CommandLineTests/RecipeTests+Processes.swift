import Glibc
import KernelTestSupport
import Support
import Testing

/// The recipes that watch processes, signals and users.
extension RecipeTests {
  // MARK: Signals

  @Test func killsnoop() throws {
    let target = try HeldWorkload("threads", "0")
    let load = try HeldWorkload("kill", "\(target.pid)", "18")
    let records = try trace(["killsnoop", "-p", "%"], of: load)
    try #require(records.count == 1, "\(records)")
    #expect(records[0]["time"]?.text?.wholeMatch(of: /\d\d:\d\d:\d\d/) != nil)
    var expected: [String: JSON] = [
      "pid": load.id, "comm": .text("workload"), "sig": .integer(18), "signal": .text("SIGCONT"), "tpid": target.id,
      "ret": .integer(0),
    ]
    expected["time"] = records[0]["time"]
    #expect(records[0] == .object(expected))
  }

  @Test func killsnoopOfFailedOnes() throws {
    let (good, bad) = (try HeldWorkload("threads", "0"), Int32.max)
    var senders: [Int64] = []
    let records = try trace("killsnoop", "-x") {
      for target in [good.pid, bad] { senders.append(try start(Self.workload, "kill", "\(target)", "18").pid) }
    }
    let own = records.filter { senders.contains($0["pid"]?.integer ?? 0) }
    #expect(own.map { $0["pid"]?.integer } == [senders[1]])
    #expect(own.first?["ret"] == .integer(-3) && own.first?["tpid"] == .integer(Int64(bad)))
    #expect(records.allSatisfy { $0["ret"]?.integer ?? 0 < 0 })
  }

  @Test func killsnoopOfOneSignalAndOneTarget() throws {
    let target = try HeldWorkload("threads", "0")
    let records = try trace("killsnoop", "-t", "\(target.pid)", "-s", "23") {
      for signal in ["23", "18"] { try start(Self.workload, "kill", "\(target.pid)", signal) }
      try start(Self.workload, "signal", "23")
    }
    #expect(records.map { $0["signal"]?.text } == ["SIGURG"])
    #expect(records.map { $0["tpid"] } == [target.id])
  }

  @Test(arguments: ["-t", "-p"]) func sigsnoop(filter: String) throws {
    let load = try HeldWorkload("signals")
    let records = try trace(["sigsnoop", filter, "%"], of: load)
    #expect(records.map { $0["signal"]?.text } == ["SIGWINCH", "SIGUSR1", "SIGUSR1"])
    #expect(records.map { $0["sig"]?.integer } == [28, 10, 10])
    #expect(records.map { $0["result"]?.text } == ["ignored", "delivered", "pending"])
    for record in records {
      #expect(record["pid"] == load.id && record["tpid"] == load.id)
      #expect(record["comm"] == .text("workload") && record["tcomm"] == .text("workload"))
    }
  }

  @Test func sigsnoopOfWhatTheKernelSends() throws {
    var pid: Int64 = 0
    let records = try trace("sigsnoop", "-s", "17") { pid = try start(Self.workload, "exit", "0").pid }
    let own = records.filter { $0["pid"]?.integer == pid }
    try #require(own.map { $0["signal"]?.text } == ["SIGCHLD"])
    // To the thread that started it.
    let target = try #require(own[0]["tpid"]?.integer)
    #expect(access("/proc/self/task/\(target)", F_OK) == 0, "\(own)")
    #expect(records.allSatisfy { $0["signal"] == .text("SIGCHLD") })
  }

  // MARK: Users

  @Test func setuids() throws {
    let load = try HeldWorkload("setuids")
    let records = try trace(["setuids", "-p", "%"], of: load)
    let calls: [(name: String, arguments: String, user: Int64, result: Int64)] = [
      ("setresuid", "-1, 1000, -1", 0, 0), ("setreuid", "-1, 0", 0, 0), ("setfsuid", "7", 0, 0), ("setuid", "33", 0, 0),
      ("setuid", "0", 33, -1),
    ]
    #expect(records.map { $0["syscall"]?.text } == calls.map(\.name))
    #expect(records.map { $0["args"]?.text } == calls.map(\.arguments))
    #expect(records.map { $0["uid"]?.integer } == calls.map(\.user))
    #expect(records.map { $0["ret"]?.integer } == calls.map(\.result))
    #expect(records.allSatisfy { $0["pid"] == load.id && $0["comm"] == .text("workload") })
  }

  @Test func setuidsOfFailedOnes() throws {
    let records = try trace(["setuids", "-x", "-p", "%"], of: HeldWorkload("setuids"))
    #expect(records.map { $0["args"]?.text } == ["0"])
    #expect(records.map { $0["ret"]?.integer } == [-1])
  }

  @Test(.requires(.kprobes), arguments: [("0", "yes"), ("65534", "no")])
  func capable(user: String, result: String) throws {
    let directory = try TemporaryDirectory()
    let load = try HeldWorkload("give-away", try directory.write("given", "x"), user)
    let records = try trace(["capable", "-p", "%"], of: load).filter { $0["name"] == .text("CAP_CHOWN") }
    #expect(!records.isEmpty)
    for record in records {
      #expect(record["pid"] == load.id && record["comm"] == .text("workload") && record["cap"] == .integer(0))
      #expect(record["result"] == .text(result) && record["audit"] == .integer(1))
    }
  }

  @Test(.requires(.kprobes)) func capableOfFailedOnes() throws {
    let directory = try TemporaryDirectory()
    let given = try directory.write("given", "x")
    let passed = try trace(["capable", "-x", "-p", "%"], of: HeldWorkload("give-away", given, "0"))
    #expect(passed.filter { $0["name"] == .text("CAP_CHOWN") } == [])
    let failed = try trace(["capable", "-x", "-p", "%"], of: HeldWorkload("give-away", given, "65534"))
    #expect(failed.contains { $0["name"] == .text("CAP_CHOWN") })
    #expect(failed.allSatisfy { $0["result"] == .text("no") })
  }

  // MARK: Lists

  @Test func ps() throws {
    let load = try HeldWorkload("idle-threads", "3")
    try load.run()
    try load.waitUntilAsleep()
    let run = try moontrace("run", "-f", "json", "ps", "-p", "\(load.pid)")
    let records = try self.records(run)
    try #require(records.count == 1, "\(records)")
    let expected: [String: JSON] = [
      "pid": load.id, "tid": load.id, "ppid": .integer(Int64(getpid())), "uid": .integer(0), "state": .text("S"),
      "nice": .integer(0), "comm": .text("workload"),
    ]
    for (name, value) in expected { #expect(records[0][name] == value, "\(name)") }
    #expect((0..<60_000).contains(records[0]["cpu_ms"]?.integer ?? -1))
    #expect((0..<600).contains(records[0]["age_s"]?.integer ?? -1))
    let threads = try self.records(moontrace("run", "-f", "json", "ps", "-t", "-p", "\(load.pid)"))
    #expect(threads.count == 4 && Set(threads.map { $0["tid"]?.integer }).count == 4)
    #expect(threads.allSatisfy { $0["pid"] == load.id })
  }

  @Test func psOfTheMachine() throws {
    let child = try Subprocess("/usr/bin/nice", ["-n", "5", Self.workload, "exit", "0"])
    let pid = Int64(child.pid)
    // Ended, but nobody has asked for its exit code yet.
    var info = siginfo_t()
    try check("wait for process \(pid)") { waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) }
    let records = try self.records(moontrace("run", "-f", "json", "ps"))
    let own = records.filter { $0["pid"]?.integer == pid }
    #expect(own.map { $0["state"]?.text } == ["Z"])
    #expect(own.map { $0["nice"]?.integer } == [5])
    #expect(records.contains { $0["pid"]?.integer == Int64(getpid()) })
    #expect(records.allSatisfy { $0["pid"] == $0["tid"] })
    _ = try child.wait()
  }

  @Test func lsof() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("opened", "12345")
    let load = try HeldWorkload("keep-open", file, directory.name)
    let numbers = try load.run()
    try #require(numbers.count == 5)
    let records = try self.records(moontrace("run", "-f", "json", "lsof", "-p", "\(load.pid)"))
    var facts = stat()
    try check("describe \(file)") { stat(file, &facts) }
    for (number, mode) in zip(numbers, ["r", "w", "u"]) {
      let own = try #require(records.first { $0["fd"] == .text(number + mode) }, "\(number)\(mode) of \(records)")
      #expect(own["pid"] == load.id && own["comm"] == .text("workload"))
      #expect(own["type"] == .text("REG") && own["size"] == .integer(5))
      #expect(own["node"] == .integer(Int64(facts.st_ino)))
      #expect(
        own["name"]?.text?.hasSuffix(file.drop { $0 == "/" }.split(separator: "/").suffix(2).joined(separator: "/"))
          == true)
    }
    #expect(records.first { $0["fd"] == .text(numbers[3] + "r") }?["type"] == .text("DIR"))
    #expect(records.first { $0["fd"] == .text(numbers[4] + "u") }?["type"] == .text("sock"))
    #expect(records.first { $0["fd"] == .text("0r") }?["type"] == .text("FIFO"))
  }

  @Test func lsofByName() throws {
    let workload = try Workload()
    let load = try HeldWorkload(["keep-open", "/dev/null", "/"], path: workload.path)
    let numbers = try load.run()
    let records = try self.records(moontrace("run", "-f", "json", "lsof", "-c", workload.name))
    #expect(records.allSatisfy { $0["comm"] == .text(workload.name) && $0["pid"] == load.id })
    #expect(records.first { $0["fd"] == .text(numbers[0] + "r") }?["type"] == .text("CHR"))
    #expect(records.first { $0["fd"] == .text(numbers[3] + "r") }?["name"] == .text("/"))
  }

  // MARK: Counts of the machine

  /// How many tasks the kernel has ever started, threads included.
  private func startedTasks() throws -> Int64 {
    let lines = String(decoding: try readFile("/proc/stat"), as: UTF8.self).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("processes ") })
    return try #require(Int64(line.dropFirst("processes ".count)))
  }

  @Test func pidpersec() throws {
    let before = try startedTasks()
    let output = try Pipe()
    let process = try MoontraceProcess(["run", "-f", "json", "pidpersec"], output: output.writing)
    try process.waitForAttached()
    try start(Self.workload, "threads", "300")
    try start(Self.workload, "exec", "50")
    // A row comes each second, so those that come until all are counted are few.
    var text = "", counts: (processes: Int64, threads: Int64) = (0, 0), rows = 0
    while rows < 20, counts.processes < 52 || counts.threads < 300 {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let size = try check("read of moontrace") { read(output.reading, &bytes, bytes.count) }
      try #require(size > 0)
      text += String(decoding: bytes.prefix(Int(size)), as: UTF8.self)
      guard text.hasSuffix("\n") else { continue }
      let records = try text.split(separator: "\n").map { try JSON(String($0)) }
      counts = records.reduce((0, 0)) {
        ($0.0 + ($1["pids_per_sec"]?.integer ?? 0), $0.1 + ($1["threads_per_sec"]?.integer ?? 0))
      }
      rows = records.count
    }
    #expect(counts.processes >= 52 && counts.threads >= 300, "\(text)")
    #expect(counts.processes + counts.threads <= (try startedTasks()) - before, "\(text)")
    #expect(try process.interrupt().status == 0)
  }
}
