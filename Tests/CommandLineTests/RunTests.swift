import Glibc
import Support
import Testing

/// Scripts that need no kernel: what runs, what prints where, and how it ends.
@Suite struct RunTests {
  @Test func textOnTheCommandLine() throws {
    let run = try moontrace("-e", "print(1 + 1, 'x', nil)")
    #expect(run.status == 0)
    #expect(run.output == "2\tx\tnil\n")
    #expect(run.errors == "")
  }

  @Test func runIsTheDefaultCommand() throws {
    let directory = try TemporaryDirectory()
    let script = try directory.write("hello.lua", "#!/usr/bin/env moontrace\nprint('hello', arg[1], arg[2])\n")
    #expect(try moontrace(script, "-p", "x").output == "hello\t-p\tx\n")
    #expect(try moontrace("run", script, "a", "b").output == "hello\ta\tb\n")
  }

  @Test func scriptOnStandardInput() throws {
    #expect(try moontrace("-", input: "print('from stdin', arg[1])", environment: []).output == "from stdin\tnil\n")
  }

  @Test func exitCodes() throws {
    #expect(try moontrace("-e", "exit(7)").status == 7)
    #expect(try moontrace("-e", "pcall(exit, 5) print('not reached')").status == 5)
    #expect(try moontrace("-e", "at_exit(function() print('end') end) exit(3)").output == "end\n")
    #expect(try moontrace("-e", "error('no')").status == 1)
  }

  @Test func aScriptThatRegistersNothingJustEnds() throws {
    let run = try moontrace("-e", "at_exit(function() print('end') end) print('main')")
    #expect(run.output == "main\nend\n")
    #expect(run.status == 0)
  }

  @Test func timersRunInTheOrderTheyAreDue() throws {
    let run = try moontrace(
      "-e",
      """
      local n = 0
      every(0.1, function()
        n = n + 1
        print('tick', n)
        if n == 3 then exit() end
      end)
      after(0.05, function() print('once') end)
      """)
    #expect(run.output == "once\ntick\t1\ntick\t2\ntick\t3\n")
    #expect(run.status == 0)
  }

  @Test func theDurationEndsTheRun() throws {
    let run = try moontrace("-d", "0.1", "-e", "every(60, print) at_exit(function() print('end') end)")
    #expect(run.output == "end\n")
    #expect(run.status == 0)
  }

  @Test func optionsBeforeTheCommandAreExplained() throws {
    let run = try moontrace("-f", "json", "run", "opensnoop")
    #expect(run.status == 2)
    #expect(run.errors.contains("moontrace run [options] TARGET"))
  }

  @Test func interruptsRunExitFunctions() throws {
    for signal in [SIGINT, SIGTERM] {
      let process = try MoontraceProcess(["-e", "every(60, print) at_exit(function() print('bye') end)"])
      try process.waitForAttached()
      process.signal(signal)
      let run = try process.wait()
      #expect(run.output == "bye\n")
      #expect(run.status == 0)
    }
  }

  @Test func aCommandStartsWhenAttachedAndEndsTheRun() throws {
    let run = try moontrace("-c", "echo from the command", "-e", "at_exit(function() print('end') end)")
    #expect(run.output == "from the command\nend\n")
    #expect(run.status == 0)
  }

  @Test func aCommandEndsWithTheRunAndWhatItStarted() throws {
    let workload = try Workload()
    let run = try moontrace("-d", "0.1", "-c", "\(workload.path) sleep 600000; true", "-e", "every(60, print)")
    #expect(run.status == 0)
    // Gone, or about to be: SIGTERM has been sent.
    for _ in 0..<6000 where try isRunning(workload.name) { usleep(10_000) }
    #expect(try !isRunning(workload.name))
  }

  private func isRunning(_ name: String) throws -> Bool {
    for pid in directoryEntries("/proc") {
      guard Int(pid) != nil, let comm = try? readFile("/proc/\(pid)/comm") else { continue }
      if String(decoding: comm, as: UTF8.self) == "\(name)\n" { return true }
    }
    return false
  }

  @Test func theRunEndsWithTheProcessItTraces() throws {
    let traced = try Subprocess("/bin/sleep", ["60"])
    let process = try MoontraceProcess(["-p", "\(traced.pid)", "-e", "print(opt.pid) every(60, print)"])
    try process.waitForAttached()
    kill(traced.pid, SIGKILL)
    _ = try traced.wait()
    let run = try process.wait()
    #expect(run.status == 0)
    #expect(run.output.hasSuffix("\n"))
  }

  @Test func outputToAFile() throws {
    let directory = try TemporaryDirectory()
    let run = try moontrace("-o", directory.path("data"), "-e", "print('data')")
    #expect(run.output == "")
    #expect(String(decoding: try readFile(directory.path("data")), as: UTF8.self) == "data\n")
  }

  // MARK: emit

  @Test func emitAsTable() throws {
    let run = try moontrace(
      "-e", "emit({pid = 7, comm = 'sh'}, {'pid', 'comm'}) emit({pid = 123456789, comm = 'long'}, {'pid', 'comm'})")
    #expect(run.output == "     PID COMM\n       7 sh\n123456789 long\n")
  }

  @Test func emitAsJSON() throws {
    let run = try moontrace(
      "-f", "json", "-e",
      #"emit{b = 'q"\n', a = 1 << 62, list = {1, 2, {x = true}}, f = 1.5} emit({z = 1, a = 2}, {'z', 'a', 'none'})"#)
    #expect(
      run.output == """
        {"a":4611686018427387904,"b":"q\\"\\n","f":1.5,"list":[1,2,{"x":true}]}
        {"z":1,"a":2,"none":null}

        """)
  }

  @Test func emitAsCSV() throws {
    let run = try moontrace("-f", "csv", "-e", #"emit{a = 1, b = 'x,"y"'} emit{a = 2}"#)
    #expect(run.output == "a,b\n1,\"x,\"\"y\"\"\"\na\n2\n")
  }

  @Test func printedTextKeepsJSONLinesParsable() throws {
    let run = try moontrace("-f", "json", "-e", "print('free', 1) printf('%d\\n', 3) emit{a = 1}")
    #expect(run.output == "{\"print\":\"free\\t1\"}\n{\"print\":\"3\"}\n{\"a\":1}\n")
  }

  // MARK: Recipes

  static let recipe = """
    recipe {
      name = "probe-me", summary = "Shows its options", options = {
        { name = "pid", short = "p", type = "integer", help = "trace only this process" },
        { name = "failed", short = "x", type = "boolean", help = "only failures" },
        { name = "window", type = "duration", default = 2, help = "how long" },
      },
    }
    print(opt.pid, opt.failed, opt.window, arg[1])
    """

  @Test func recipeOptions() throws {
    let directory = try TemporaryDirectory()
    let script = try directory.write("r.lua", Self.recipe)
    #expect(try moontrace(script, "-xp", "12", "--window=100ms", "rest").output == "12\ttrue\t0.1\trest\n")
    #expect(try moontrace(script).output == "nil\tfalse\t2.0\tnil\n")
    #expect(try moontrace("-p", "1", script).errors == "")
  }

  @Test func recipeHelp() throws {
    let directory = try TemporaryDirectory()
    let script = try directory.write("r.lua", Self.recipe)
    let run = try moontrace(script, "--help")
    #expect(run.status == 0)
    #expect(run.output.contains("Shows its options"))
    #expect(run.output.contains("-p, --pid"))
    #expect(!run.output.contains("nil\tfalse"))
  }

  @Test func theCommandsOwnHelp() throws {
    for arguments in [["--help"], ["run", "--help"], ["run", "-h"]] {
      let run = try MoontraceProcess(arguments).wait()
      #expect(run.status == 0)
      #expect(run.output.contains("USAGE: moontrace"))
      #expect(run.errors == "")
    }
    #expect(try moontrace("run", "--help").output.contains("--max-events"))
  }

  @Test func builtInRecipesShowTheirHelp() throws {
    for name in ["opensnoop", "execsnoop", "exitsnoop", "syscount", "runqlat", "profile", "bashreadline"] {
      let run = try moontrace("run", name, "--help")
      #expect(run.status == 0, "\(name): \(run.errors)")
      #expect(run.output.contains(name))
    }
  }

  // MARK: Naming things

  @Test func names() throws {
    let run = try moontrace(
      "-e",
      """
      print(syscall_name(0), syscall_name(257), errno_name(2), errno_name(-13), signal_name(9))
      print(ntop("\\x7f\\0\\0\\1"), ntop({192, 168, 0, 1}), ntop(("\\0"):rep(15) .. "\\1"))
      print(#strftime("%Y-%m-%d %H:%M:%S"), ksym(0))
      """)
    #expect(run.lines[0] == "read\topenat\tENOENT\tEACCES\tSIGKILL")
    #expect(run.lines[1] == "127.0.0.1\t192.168.0.1\t::1")
    #expect(run.lines[2].hasPrefix("19\t"))
  }
}
