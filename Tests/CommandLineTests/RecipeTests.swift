import Glibc
import KernelTestSupport
import Support
import Testing

/// The built-in recipes on the live kernel: what they say of things that the tests themselves make happen.
///
/// Other processes are busy meanwhile, so everything is looked for by the id of the test's own process.
@Suite(.requires(.root, .clang))
struct RecipeTests {
  static let workload = MoontraceProcess.workload
  static let names = ["bashreadline", "execsnoop", "exitsnoop", "opensnoop", "profile", "runqlat", "syscount"]

  /// Traces processes that `body` makes; the records that it gives in JSON.
  func trace(_ recipe: String..., options: [String] = [], body: () throws -> Void) throws -> [JSON] {
    let process = try MoontraceProcess(["run", "-f", "json"] + options + recipe)
    try process.waitForAttached()
    try body()
    return try records(process.interrupt())
  }

  /// Traces a workload whose process the recipe is told of beforehand; `%` in the options stands for its id.
  func trace(_ options: [String], workload: String...) throws -> MoontraceProcess.Finished {
    let child = try GatedProcess(Self.workload, workload)
    let process = try MoontraceProcess(["run"] + options.map { $0 == "%" ? "\(child.pid)" : $0 })
    try process.waitForAttached()
    try child.open()
    // With the host's --pid the run ends by itself.
    return try options.first == "-p" ? process.wait() : process.interrupt()
  }

  func records(_ run: MoontraceProcess.Finished) throws -> [JSON] {
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors == "")
    return try run.lines.map(JSON.init)
  }

  /// Runs a program; its id and how it ended.
  @discardableResult
  func start(_ path: String, _ arguments: String...) throws -> (pid: Int64, status: Int32) {
    let child = try Subprocess(path, arguments)
    let pid = Int64(child.pid)
    return (pid, try child.wait())
  }

  func words(_ line: String?) -> [String] {
    (line ?? "").split(separator: " ").map(String.init)
  }

  // MARK: Every recipe

  @Test(arguments: names) func helpNamesTheOptions(recipe: String) throws {
    let run = try moontrace("run", recipe, "--help")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("Usage: moontrace run \(recipe)"), "\(run.output)")
    #expect(run.output.contains("--"), "\(run.output)")
    let wrong = try moontrace("run", recipe, "--no-such-option")
    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("--no-such-option"))
  }

  @Test(arguments: names) func theDurationEndsIt(recipe: String) throws {
    // Of one process, so that a busy machine gives it no more than it can take.
    let run = try moontrace("run", "-p", "1", "-f", "json", "-d", "0.1", recipe)
    _ = try records(run)
  }

  @Test(arguments: ["hist", "names"]) func libraryTest(module: String) throws {
    let tests = #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 }
    let run = try moontrace("\(tests)/lua/\(module)_test.lua")
    #expect(run.status == 0)
    #expect(run.output == "ok\n", "\(run.errors)")
    #expect(run.errors == "")
  }

  // MARK: opensnoop

  /// For all calls of the machine with a path, which takes 4 KB of the buffer, however late they are read.
  static let room = ["--buffer", "64M"]

  @Test func opensAndTheirResults() throws {
    let directory = try TemporaryDirectory()
    let existing = try directory.write("a \"quoted\" näme", "x")
    let long = directory.path(Array(repeating: String(repeating: "d", count: 200), count: 15).joined(separator: "/"))
    let tooLong = directory.path(String(repeating: "n", count: 300))
    var pid: Int64 = 0
    let events = try trace("opensnoop", options: Self.room) {
      pid = try start(Self.workload, "open", existing, directory.path("missing"), long, tooLong, existing + "/x")
        .pid
    }.filter { $0["pid"]?.integer == pid && $0["path"]?.text?.hasPrefix(directory.name) == true }
    #expect(events.map { $0["path"]?.text } == [existing, directory.path("missing"), long, tooLong, existing + "/x"])
    #expect(events.map { $0["error"]?.text } == ["OK", "ENOENT", "ENOENT", "ENAMETOOLONG", "ENOTDIR"])
    #expect(events.dropFirst().map { $0["ret"]?.integer } == [-2, -2, -36, -20])
    #expect(try #require(events.first?["ret"]?.integer) >= 3)
    #expect(events.allSatisfy { $0["comm"]?.text == "workload" && $0["mode"]?.text == "O_RDONLY" })
  }

  @Test func openModes() throws {
    let directory = try TemporaryDirectory()
    let events = try trace("opensnoop", options: Self.room) {
      try start("/bin/sh", "-c", "cd \(directory.name); : > written; : <> both; : < written")
    }.filter { ["written", "both"].contains($0["path"]?.text) }
    #expect(events.map { $0["mode"]?.text } == ["O_WRONLY", "O_RDWR", "O_RDONLY"])
  }

  @Test func opensnoopFilters() throws {
    let failed = try trace("opensnoop", "-x", options: Self.room) {
      try start(Self.workload, "open", "/etc/hostname", "/nonexistent/file")
    }
    #expect(failed.contains { $0["path"]?.text == "/nonexistent/file" })
    #expect(failed.allSatisfy { $0["ret"]?.integer ?? 0 < 0 && $0["error"]?.text != "OK" })
    let named = try trace("opensnoop", "-n", "workload") {
      try start("/bin/cat", "/etc/hostname")
      try start(Self.workload, "open", "/nonexistent/file")
    }
    #expect(named.contains { $0["path"]?.text == "/nonexistent/file" })
    #expect(named.allSatisfy { $0["comm"]?.text == "workload" })
  }

  @Test(arguments: [["-p", "%", "opensnoop"], ["opensnoop", "-p", "%"]])
  func oneProcessAsATable(options: [String]) throws {
    let run = try trace(options, workload: "open", "/etc/hostname", "/nonexistent/file")
    #expect(words(run.lines.first) == ["PID", "COMM", "RET", "ERROR", "MODE", "PATH"])
    #expect(Set(run.lines.dropFirst().map { words($0).first }).count == 1)
    #expect(words(run.lines.last).dropFirst() == ["workload", "-2", "ENOENT", "O_RDONLY", "/nonexistent/file"])
    #expect(words(run.lines.dropLast().last).last == "/etc/hostname")
  }

  @Test func oneProcessAsCSV() throws {
    let run = try trace(["-p", "%", "-f", "csv", "opensnoop", "-x"], workload: "open", "/nonexistent/a,\"b\"")
    #expect(run.lines.first == "pid,comm,ret,error,mode,path")
    #expect(run.lines.last?.hasSuffix(",workload,-2,ENOENT,O_RDONLY,\"/nonexistent/a,\"\"b\"\"\"") == true)
  }

  @Test func maxEventsEndARecipe() throws {
    let run = try moontrace(
      "run", "-f", "json", "-n", "3", "-c", "\(Self.workload) open /a /b /c /d >/dev/null", "opensnoop")
    #expect(try records(run).count == 3)
  }

  // MARK: execsnoop

  @Test func programsAndTheirArguments() throws {
    let many = String(repeating: "z", count: 5000)
    var pids: [Int64] = []
    let events = try trace("execsnoop") {
      pids.append(try start("/bin/true", "one", "two words", "", "q\"uote\n").pid)
      pids.append(try start("/bin/true").pid)
      pids.append(try start("/bin/true", many).pid)
      pids.append(try start(Self.workload, "fexec").pid)
      try start("/bin/sh", "-c", "exec /nonexistent/program 2>/dev/null")
    }
    let own = pids.map { pid in events.filter { $0["pid"]?.integer == pid } }
    #expect(own.map(\.count) == [1, 1, 1, 2])
    #expect(own.compactMap { $0.last?["ppid"]?.integer } == Array(repeating: Int64(getpid()), count: 4))
    #expect(own.compactMap { $0.last?["comm"]?.text } == ["true", "true", "true", "true"])
    #expect(own[0][0]["args"]?.text == "/bin/true one two words  q\"uote\n")
    #expect(own[1][0]["args"]?.text == "/bin/true")
    #expect(own[2][0]["args"]?.text == String("/bin/true \(many)".prefix(4095)))
    #expect(own[3].map { $0["args"]?.text } == ["\(Self.workload) fexec", "true by-descriptor"])
    #expect(events.allSatisfy { $0["ret"] == .integer(0) })
  }

  @Test func failedPrograms() throws {
    var pid: Int64 = 0
    let events = try trace("execsnoop", "-x") {
      pid = try start("/bin/sh", "-c", "exec /nonexistent/program 'a b' c 2>/dev/null").pid
    }.filter { $0["pid"]?.integer == pid }
    #expect(events.map { $0["ret"]?.integer } == [0, -2])
    #expect(events.last?["args"]?.text == "/nonexistent/program a b c")
    #expect(events.last?["uid"]?.integer == 0)
  }

  @Test func childrenOfOneProcess() throws {
    let run = try trace(["-f", "csv", "execsnoop", "-P", "%"], workload: "exec", "3")
    #expect(run.lines.first == "pid,ppid,uid,comm,ret,args")
    #expect(run.lines.dropFirst().count == 3)
    #expect(run.lines.dropFirst().allSatisfy { $0.hasSuffix(",0,true,0,true from-the-workload") })
  }

  @Test func programsOfOneProcessAndOfOneUser() throws {
    let run = try trace(["-p", "%", "execsnoop"], workload: "exec", "1")
    #expect(words(run.lines.first) == ["PID", "PPID", "UID", "COMM", "RET", "ARGS"])
    #expect(
      run.lines.dropFirst().map { words($0).dropFirst(3).joined(separator: " ") }
        == ["workload 0 \(Self.workload) exec 1"])
    #expect(try trace("execsnoop", "-u", "54321") { try start("/bin/true") } == [])
  }

  // MARK: exitsnoop

  @Test func endsAndTheirReasons() throws {
    let ends: [(task: String, number: String, code: Int64, signal: String)] = [
      ("exit", "0", 0, ""), ("exit", "3", 3, ""), ("signal", "15", 143, "SIGTERM"), ("signal", "9", 137, "SIGKILL"),
      ("signal", "6", 134, "SIGABRT"), ("signal", "34", 162, "SIGRTMIN"), ("threads", "4", 0, ""),
      ("thread-exit", "5", 5, ""),
    ]
    var pids: [Int64] = []
    let events = try trace("exitsnoop") {
      for end in ends {
        let ended = try start(Self.workload, end.task, end.number)
        #expect(Int64(ended.status) == end.code, "\(end)")
        pids.append(ended.pid)
      }
    }
    for (end, pid) in zip(ends, pids) {
      let own = events.filter { $0["pid"]?.integer == pid }
      try #require(own.count == 1, "\(end)")
      #expect(own[0]["code"]?.integer == end.code && own[0]["signal"]?.text == end.signal, "\(end) \(own[0])")
      #expect(own[0]["ppid"]?.integer == Int64(getpid()) && own[0]["tid"]?.integer == pid)
      #expect(own[0]["comm"]?.text == "workload")
      #expect((0..<60_000).contains(own[0]["age_ms"]?.integer ?? -1))
    }
  }

  @Test func ages() throws {
    var pid: Int64 = 0
    let events = try trace("exitsnoop") { pid = try start(Self.workload, "spin", "0.2").pid }
    let age = try #require(events.first { $0["pid"]?.integer == pid }?["age_ms"]?.integer)
    #expect((200..<60_000).contains(age))
  }

  @Test func failedEnds() throws {
    var pids: [Int64] = []
    let events = try trace("exitsnoop", "-x") {
      for code in ["0", "3"] { pids.append(try start(Self.workload, "exit", code).pid) }
    }
    #expect(events.filter { pids.contains($0["pid"]?.integer ?? 0) }.map { $0["pid"]?.integer } == [pids[1]])
    #expect(events.allSatisfy { $0["code"]?.integer != 0 })
  }

  @Test func endsOfThreads() throws {
    let run = try trace(["-f", "json", "exitsnoop", "-t", "-p", "%"], workload: "threads", "4")
    let events = try records(run)
    #expect(events.count == 5)
    #expect(Set(events.map { $0["pid"]?.integer }).count == 1)
    #expect(Set(events.map { $0["tid"]?.integer }).count == 5)
  }

  @Test(arguments: ["table", "csv"]) func oneEnd(format: String) throws {
    let run = try trace(["-p", "%", "-f", format, "exitsnoop"], workload: "signal", "15")
    try #require(run.lines.count == 2, "\(run.output)")
    if format == "csv" {
      #expect(run.lines[0] == "pid,ppid,tid,comm,age_ms,code,signal")
      #expect(run.lines[1].hasSuffix(",143,SIGTERM"))
    } else {
      #expect(words(run.lines[0]) == ["PID", "PPID", "TID", "COMM", "AGE_MS", "CODE", "SIGNAL"])
      #expect(words(run.lines[1]).suffix(2) == ["143", "SIGTERM"])
    }
  }

  // MARK: bashreadline

  /// Types lines into an interactive bash until it ends; its process id.
  private func type(_ lines: [String], into shell: String = "/bin/bash") throws -> Int64 {
    let directory = try TemporaryDirectory()
    let path = try directory.write("lines", lines.joined(separator: "\n") + "\n")
    let input = OwnedDescriptor(try check("open \(path)") { Glibc.open(path, O_RDONLY | O_CLOEXEC) })
    let nowhere = OwnedDescriptor(try check("open /dev/null") { Glibc.open("/dev/null", O_RDWR | O_CLOEXEC) })
    let bash = try Subprocess(
      shell, ["--norc", "--noprofile", "-i"],
      descriptors: [0: input.number, 1: nowhere.number, 2: nowhere.number], environment: ["HISTFILE="])
    let pid = Int64(bash.pid)
    _ = try bash.wait()
    return pid
  }

  @Test func linesTypedIntoBash() throws {
    let lines = [": 'one  two' \"three\" # comment", "", ": \(String(repeating: "l", count: 1500))", ": ünï", "exit"]
    var pid: Int64 = 0
    let events = try trace("bashreadline") { pid = try type(lines) }.filter { $0["pid"]?.integer == pid }
    #expect(events.map { $0["command"]?.text } == lines)
    #expect(events.allSatisfy { $0["uid"]?.integer == 0 })
  }

  @Test func anotherShell() throws {
    let directory = try TemporaryDirectory()
    let copy = directory.path("bash")
    #expect(try start("/bin/cp", "/bin/bash", copy).status == 0)
    let process = try MoontraceProcess(["run", "-n", "2", "bashreadline", "--shell", copy])
    try process.waitForAttached()
    _ = try type([": seen by others", "exit"])
    let pid = try type([": one", "exit"], into: copy)
    let run = try process.wait()
    #expect(
      run.lines.map(words) == [["PID", "UID", "COMMAND"], ["\(pid)", "0", ":", "one"], ["\(pid)", "0", "exit"]])
    let missing = try moontrace("run", "bashreadline", "-s", "/nonexistent/bash")
    #expect(missing.status == 1)
    #expect(missing.errors.contains("/nonexistent/bash"))
  }
}
