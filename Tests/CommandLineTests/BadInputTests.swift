import Glibc
import Support
import Testing

/// What a user gets wrong, or a script does wrong: one clear error, the right exit code, no crash, no hang.
@Suite struct BadInputTests {
  private func expectError(
    _ arguments: String..., status: Int32, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let run = try MoontraceProcess(arguments).wait()
    #expect(run.status == status, "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.output == "", sourceLocation: sourceLocation)
    for part in parts {
      #expect(run.errors.contains(part), "\(run.errors) should contain \(part)", sourceLocation: sourceLocation)
    }
  }

  // MARK: The command line

  @Test func nothingToRun() throws { try expectError("run", status: 2, "Nothing to run") }

  @Test func missingFile() throws {
    try expectError("/nonexistent/x.lua", status: 2, "/nonexistent/x.lua: No such file or directory")
    try expectError("opensnop", status: 2, "no script or recipe 'opensnop' (did you mean 'opensnoop'?)")
  }

  @Test func directory() throws { try expectError("/tmp/", status: 2, "/tmp/: is a directory") }

  @Test func options() throws {
    try expectError("--durration", "5", "-e", "", status: 2, "Unknown option '--durration'", "--duration")
    try expectError("-d", "soon", "-e", "", status: 2, "--duration", "soon")
    try expectError("-d", "0", "-e", "", status: 2, "--duration")
    try expectError("-n", "many", "-e", "", status: 2, "many")
    try expectError("-n", "0", "-e", "", status: 2, "--max-events")
    try expectError("-f", "yaml", "-e", "", status: 2, "yaml")
    try expectError("--buffer", "big", "-e", "", status: 2, "--buffer", "big")
    try expectError("--allow", "fs.raed", "-e", "", status: 2, "fs.raed", "fs.read")
    try expectError("-p", "abc", "-e", "", status: 2, "abc")
    try expectError("-p", "4194304", "-e", "", status: 2, "no process 4194304")
    try expectError("-o", "/nonexistent/x", "-e", "", status: 2, "/nonexistent/x")
    try expectError("http://192.0.2.1/x.lua", status: 2, "--insecure")
  }

  @Test func recipeOptions() throws {
    try expectError("opensnoop", "--pidd", "1", status: 2, "unknown option '--pidd' (did you mean '--pid'?)")
    #expect(try !moontrace("opensnoop", "--pidd", "1").errors.contains("opensnoop.lua:"))
    try expectError("opensnoop", "--pid", "abc", status: 2, "--pid", "abc")
  }

  // MARK: Scripts

  @Test func syntaxError() throws {
    let directory = try TemporaryDirectory()
    let script = try directory.write("bad.lua", "local x = 1\nlocal y = = 2\n")
    try expectError(script, status: 1, "bad.lua:2: ")
  }

  @Test func runTimeErrors() throws {
    try expectError("-e", "local t = nil\nprint(t.x)", status: 1, "(command line):2: ", "local 't'")
    try expectError("-e", "local t\nfor i, x in ipairs({}), t do end", status: 1, "(command line):2: ")
    try expectError("-e", "\ntable.sort({3, 2, 'x'})", status: 1, "(command line):2: attempt to compare")
    try expectError("-e", "error({})", status: 1, "error object")
    try expectError("-e", "error('plain', 0)", status: 1, "plain")
    try expectError("-e", "print(pid)", status: 1, "'pid' has a value only inside a probe function")
    try expectError("-e", "every('x', print)", status: 1, "(command line):1: every: expected a number")
    try expectError("-e", "every(1)", status: 1, "every: expected a function, got nil")
    try expectError("-e", "print(opt.pids)", status: 1, "opt.pids")
    try expectError("-e", "recipe { name = 'x', optoins = {} }", status: 1, "(command line):1: ", "optoins", "options")
    try expectError("-e", "require 'socket'", status: 1, "socket")
    try expectError("-e", "emit(5)", status: 1, "(command line):1: emit: expected a record, got number")
  }

  @Test func errorInATimerIsToldOnceAndTheTraceGoesOn() throws {
    let run = try moontrace(
      "-e",
      """
      local n = 0 every(0.05, function() n = n + 1 if n == 4 then exit() end error('again') end)
      at_exit(function() print('end') end)
      """)
    #expect(run.status == 0)
    #expect(run.output == "end\n")
    #expect(run.errors == "(command line):1: again\n(command line):1: again (2 more times)\n")
  }

  @Test func strictEndsAtTheFirstError() throws {
    let run = try moontrace("--strict", "-d", "5", "-e", "every(0.05, function() error('again') end)")
    #expect(run.status == 1)
    #expect(run.errors == "(command line):1: again\n")
  }

  @Test func endlessScripts() throws {
    try expectError("-e", "while true do end", status: 1, "(command line):1: ", "longer than 1 s")
    try expectError("-e", "while true do pcall(function() while true do end end) end", status: 1, "longer than 1 s")
    try expectError(
      "-e", "coroutine.wrap(function() while true do end end)()", status: 1, "longer than 1 s")
    // Both end before the time is over, on an emulated machine too.
    try expectError("-e", "local s = ('x'):rep(1 << 20) s = s:rep(1 << 10)", status: 1, "memory")
    try expectError("-e", "local function f() return (('x'):gsub('x', f)) end f()", status: 1, "stack overflow")
  }

  // MARK: The sandbox

  @Test func capabilities() throws {
    try expectError("-e", "io.open('/etc/passwd')", status: 3, "/etc/passwd", "--allow fs.read")
    try expectError("-e", "io.open('/tmp/x', 'w')", status: 3, "--allow fs.write")
    try expectError("-e", "os.execute('true')", status: 3, "--allow exec")
    #expect(
      try moontrace("--allow", "fs.read=/etc", "-e", "print(#io.open('/etc/hostname'):read('a') > 0)").output
        == "true\n")
    try expectError("--allow", "fs.read=/etc", "-e", "io.open('/proc/self/maps')", status: 3, "fs.read")
    try expectError("-e", "recipe { name = 'x', needs = { 'exec' } }", status: 3, "exec", "--allow exec")
    for name in ["debug.getregistry", "package", "dofile", "loadfile", "string.dump"] {
      #expect(try moontrace("-e", "print(pcall(function() return \(name) end))").output.hasSuffix("nil\n"), "\(name)")
    }
    try expectError("-e", "assert(load('\\27Lua'))", status: 1, "binary")
  }

  // MARK: Output

  @Test func aClosedPipeEndsQuietly() throws {
    let directory = try TemporaryDirectory()
    let command =
      "\(MoontraceProcess.executable) -e 'every(0.001, function() print(\"line\") end)' 2>\(directory.path("err")) | head -1"
    let log = directory.path("out")
    let output = OwnedDescriptor(try check("create") { open(log, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) })
    let status = try Subprocess("/bin/bash", ["-o", "pipefail", "-c", command], descriptors: [1: output.number]).wait()
    #expect(status == 0)
    #expect(String(decoding: try readFile(log), as: UTF8.self) == "line\n")
    #expect(try readFile(directory.path("err")).isEmpty)
  }

  @Test func interruptsReachATraceWhoseReaderStalls() throws {
    let output = try Pipe()
    let process = try MoontraceProcess(
      ["-e", "every(0.001, function() for i = 1, 1000 do print(('x'):rep(1000)) end end)"], output: output.writing)
    try process.waitForAttached()
    var pipe = pollfd(fd: output.writing, events: Int16(POLLOUT), revents: 0)
    while poll(&pipe, 1, 0) == 1 { usleep(1000) }  // until it is full, and moontrace stalls
    process.signal(SIGINT)
    #expect(try process.wait().status == 0)
  }

  @Test func aFullDiskIsAnError() throws {
    let run = try moontrace("-o", "/dev/full", "-e", "print('x')")
    #expect(run.status == 1)
    #expect(run.errors.contains("No space left on device"))
  }
}
