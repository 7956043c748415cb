import Glibc
import KernelTestSupport
import Support
import Testing

/// What probes may do to the system, what they see of the place that was hit, and what is said when there is no such
/// place.
@Suite(.requires(.root)) struct ProbeSafetyTests {
  /// This test's own workload, under a name that no other process has.
  let workload: Workload

  init() throws {
    workload = try Workload()
  }

  // MARK: Signals

  private static let kill = """
    local calls = global{ n = 0, sent = 0 }
    probe("tracepoint:syscalls:sys_enter_getppid", function()
      if comm ~= "NAME" then return end
      calls.n = calls.n + 1
      if calls.n == 10 and signal(SIGNAL) then calls.sent = calls.sent + 1 end
    end)
    probe("tracepoint:sched:sched_process_exit", function()
      if comm == "NAME" then return { code = curtask.exit_code & 127 } end
    end):each(function(e) print(calls.n, calls.sent, e.code) end)
    """

  /// The process dies in its tenth system call, of the signal.
  @Test(arguments: [("'KILL'", 9), ("'SIGKILL'", 9), ("15", 15), ("pid * 0 + 9", 9)])
  func signalsArriveWhereTheyAreAllowed(_ signal: String, _ number: Int) throws {
    let run = try workload.trace(
      "getppid 1000000000", Self.kill.replacing("SIGNAL", with: signal), "--allow", "kernel.write")
    #expect(run.output == "10\t1\t\(number)\n", "\(run.errors)")
    #expect(run.status == 0)
  }

  @Test func signalsNeedACapability() throws {
    let run = try workload.trace("getppid 20", Self.kill.replacing("SIGNAL", with: "9"))
    #expect(run.status == 3)
    #expect(
      run.errors == "x.lua:5: a probe that sends signals to processes (signal) needs the capability kernel.write "
        + "(--allow kernel.write)\n")
    let recipe = "recipe { name = 'killer', summary = 'kills', needs = { 'kernel.write' } }\n"
    let needy = try workload.trace("getppid 20", recipe + Self.kill.replacing("SIGNAL", with: "9"))
    #expect(needy.status == 3)
    #expect(needy.errors.contains("recipe 'killer' needs kernel.write"), "\(needy.errors)")
  }

  @Test func iteratorsSignalNobody() throws {
    let run = try moontrace("--allow", "kernel.write", "-e", "probe('iter:task', function() signal(9) end)")
    #expect(run.status == 1)
    #expect(run.errors.contains("an iterator runs in Moontrace itself"), "\(run.errors)")
  }

  // MARK: Results

  private static let override = """
    probe("kprobe:__x64_sys_getppid", function()
      if comm == "NAME" then override(-7) end
    end)
    probe("tracepoint:syscalls:sys_exit_getppid", function(args)
      if comm == "NAME" then count(args.ret) end
    end)
    """

  @Test(.requires(.kprobes, .overrides)) func resultsAreOverridden() throws {
    let run = try workload.trace("getppid 5", Self.override, "--allow", "kernel.write", "-f", "json")
    #expect(run.output.contains(#""data":[{"key":[-7],"value":5}]"#), "\(run.output) \(run.errors)")
    let refused = try workload.trace(
      "getppid 1", "probe('kprobe:vfs_read', function() override(0) end)", "--allow", "kernel.write")
    #expect(refused.status == 4)
    #expect(refused.errors.contains("this kernel doesn't let 'vfs_read' be overridden"), "\(refused.errors)")
  }

  @Test(.requires(.kprobes)) func overridingNeedsACapability() throws {
    let run = try workload.trace("getppid 5", Self.override)
    #expect(run.status == 3)
    #expect(
      run.errors.hasPrefix("x.lua:2: a probe that changes what kernel functions return (override) needs"),
      "\(run.errors)")
  }

  @Test(.requires(.kprobes, absent: .overrides)) func kernelsThatCannotOverrideSaySo() throws {
    let run = try workload.trace("getppid 5", Self.override, "--allow", "kernel.write")
    #expect(run.status == 4)
    #expect(
      run.errors == "x.lua:2: override: this kernel lets no program change what its functions return: "
        + "CONFIG_BPF_KPROBE_OVERRIDE is off (use a kernel with CONFIG_BPF_KPROBE_OVERRIDE=y)\n")
  }

  // MARK: Registers

  /// The function is hit where it begins, with its arguments in di and si.
  @Test func registersOfAUserProbe() throws {
    let run = try workload.trace(
      "call 3",
      """
      probe("uprobe:PATH:workload_function", function()
        return {
          first = reg("di") == arg0 and reg("rdi") == arg0, second = reg("si") == arg1, named = usym(reg("ip")),
          inside = reg("rsp") > 4096 and reg("cs") & 3 == 3,
        }
      end):each(function(e) print(e.first, e.second, e.inside) end)
      """)
    #expect(run.output == String(repeating: "true\ttrue\ttrue\n", count: 3), "\(run.errors)")
  }

  @Test(.requires(.kprobes)) func registersOfAKernelProbe() throws {
    let run = try workload.trace(
      "ftruncate 3",
      """
      probe("kprobe:do_sys_ftruncate", function()
        if comm == "NAME" then print(reg("rsi") == arg1, reg("cs") & 3) end
      end)
      """)
    #expect(run.lines.first == "true\t0" && run.lines.count == 4, "\(run.errors)")
  }

  @Test func registersOfAClock() throws {
    let run = try workload.trace(
      "spin 0.3",
      "local g = global{ n = 0 } probe('profile:500', function() if comm == 'NAME' and reg('ip') ~= 0 then g.n = g.n + 1 end end) "
        + "at_exit(function() print(g.n > 20) end)")
    #expect(run.output == "true\n", "\(run.errors)")
  }

  @Test(arguments: [
    ("tracepoint:syscalls:sys_enter_getppid", "reg('ip')", "hands over no registers (they are there in kprobe"),
    ("profile:99", "reg('ripp')", "there is no register 'ripp' (did you mean 'rip'?)"),
    ("profile:99", "reg('xyzzy')", "there is no register 'xyzzy' (there are r15, r14"),
    ("profile:99", "reg(pid)", "reg: expected the constant name of a register"),
  ])
  func registersThatAreNotThere(_ spec: String, _ call: String, _ message: String) throws {
    let run = try moontrace("-e", "probe('\(spec)', function() return { r = \(call) } end)")
    #expect(run.status == 1)
    #expect(run.errors.contains(message), "\(run.errors)")
  }

  // MARK: Functions of the script and of its library

  @Test func libraryFunctionsInVariables() throws {
    let run = try workload.trace(
      "open /tmp/q-a /tmp/q-bcd /etc/hostname",
      """
      local least, starts, say, str_ = math.min, string.startswith, print, count
      local names = { [0] = "none", [4] = "short" }
      local kinds = { ["/tmp/q-a"] = 1, ["/etc/hostname"] = 2 }
      probe("tracepoint:syscalls:sys_enter_openat", function(args)
        if comm ~= "NAME" then return end
        local path = str(args.filename)
        if not path then return end
        if starts(path, "/tmp/q-") or path == "/etc/hostname" then
          say(path, least(#path, 4), names[least(#path, 4)], kinds[path])
        end
      end)
      assert(string.startswith("abc", "ab") and not ("abc"):startswith("bc"))
      """)
    #expect(
      run.output == "/tmp/q-a\t4\tshort\t1\n/tmp/q-bcd\t4\tshort\tnil\n/etc/hostname\t4\tshort\t2\n", "\(run.errors)")
  }

  // MARK: Places that are not there

  @Test func everyReasonIsToldWhenNoneOfTheFirstWorks() throws {
    let run = try moontrace(
      "-e", "\nprobe({ 'tracepoint:no:such', 'uprobe:no-such-binary:f' }, function() end, { first = true })")
    let lines = run.errors.split(separator: "\n")
    try #require(lines.count == 3, "\(run.errors)")
    #expect(lines[0].hasSuffix("2: probe: none of the 2 probes of the list works here"))
    #expect(lines[1].hasPrefix("  tracepoint:no:such: this kernel has no tracepoint"))
    #expect(lines[2].hasPrefix("  uprobe:no-such-binary:f: ") && lines[2].hasSuffix("(give the file's whole path)"))
    #expect(run.status == 4)
  }

  @Test(arguments: [
    ("libc:malloc", "uprobe:libc:malloc"), ("/bin/true:main", "uprobe:/bin/true:main"),
    ("sched:sched_switch", "tracepoint:sched:sched_switch"),
    ("sys_enter_openat", "tracepoint:syscalls:sys_enter_openat"),
  ])
  func aKindThatIsLeftOutIsSuggested(_ spec: String, _ meant: String) throws {
    let run = try moontrace("-e", "probe('\(spec)', function() end)")
    #expect(run.errors.contains("'\(spec)' does not say what kind of probe it is (did you mean '\(meant)'?)"))
    #expect(run.status == 1)
  }
}
