import Glibc
import KernelTestSupport
import Support
import Testing

/// `moontrace check`: all mistakes of a script, where they are, and nothing in the kernel.
@Suite(.requires(.root)) struct CheckTests {
  private static let mistaken = """
    recipe { name = "x", options = { { name = "size", type = "integer" } } }
    probe("tracepoint:syscalls:sys_enter_openat", function(args)
      return { file = str(args.filname) }
    end)
    probe("tracepoint:sched:sched_swich", function() return { pid = pid } end)
    probe({ "t:syscalls:sys_enter_read", "t:syscalls:sys_enter_write" }, function(args)
      return { more = opt.siz }
    end)
    probe("kprobe:vfs_read", function() return { half = pid / 2 } end)
    probe("uprobe:libc:mallocc", function() return { pid = pid } end)
    error("stop")
    """

  @Test func allMistakesAreTold() throws {
    let directory = try TemporaryDirectory()
    let script = try directory.write("bad.lua", Self.mistaken)
    let run = try moontrace("check", script)
    #expect(run.status == 1 && run.output == "")
    let lines = run.errors.split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { $0.hasPrefix("\(script):") }, "\(run.errors)")
    let places = [3, 5, 6, 9, 10, 11].map { "\(script):\($0): " }
    #expect(zip(lines, places).allSatisfy { $0.hasPrefix($1) } && lines.count == places.count, "\(run.errors)")
    #expect(lines[0].hasSuffix("has no argument 'filname' (did you mean 'filename'?)"))
    #expect(lines[2].hasSuffix("the recipe has no option 'siz' (did you mean 'size'?)"))
  }

  @Test func forEditors() throws {
    let directory = try TemporaryDirectory()
    let script = try directory.write("bad.lua", Self.mistaken)
    let run = try moontrace("check", "--format", "json", script)
    #expect(run.status == 1 && run.errors == "")
    let problems = try run.lines.map { try JSON($0) }
    #expect(problems.map { $0["line"]?.integer } == [3, 5, 6, 9, 10, 11])
    #expect(problems.allSatisfy { $0["file"]?.text == script && $0["severity"]?.text == "error" })
    #expect(problems[3]["remedy"] != nil && problems[3]["message"]?.text?.hasPrefix(script) == false)
    let standardInput = try moontrace("check", "-f", "json", "-", input: "x = = 1")
    #expect(try JSON(try #require(standardInput.lines.first))["line"]?.integer == 1)
  }

  @Test func silentWithoutMistakes() throws {
    let script = """
      print("dropped")
      local m = map()
      probe({ "t:syscalls:sys_*_getppid" }, function() m[pid] = 1 end)
      probe("t:sched:sched_switch", function() count() end):each(print)
      every(0.001, function() error("a timer") end)
      at_exit(function() error("the end") end)
      """
    let run = try moontrace("check", "-e", script)
    #expect(run.status == 0 && run.output == "" && run.errors == "")
    let verbose = try moontrace("check", "-v", "-e", script)
    #expect(verbose.errors == "(command line): 2 probes, 3 targets\n")
  }

  @Test(arguments: LibraryTests.recipes) func recipesHaveNone(recipe: String) throws {
    let run = try MoontraceProcess(["check", recipe] + (LibraryTests.arguments[recipe] ?? [])).wait()
    #expect(run.status == 0 && run.output == "" && run.errors == "", "\(run.errors)")
  }

  @Test func nothingIsLoaded() throws {
    let script = """
      probe("t:sched:sched_switch", function() count() end)
      probe("kprobe:vfs_read", function() signal("KILL") end)
      """
    // Other tests run moontrace too, so this one has a name of its own.
    let directory = try TemporaryDirectory()
    let name = "check\(UInt32.random(in: 0...0xff_ffff))"
    try check("link \(name)") { symlink(MoontraceProcess.executable, directory.path(name)) }
    let calls = try moontrace(
      "-f", "json", "-c", "'\(directory.path(name))' check -e '\(script)'", "-e",
      """
      for _, call in ipairs { "bpf", "perf_event_open" } do
        probe("t:syscalls:sys_enter_" .. call, function() return { call = call, pid = pid } end)
      end
      probe("t:sched:sched_process_exec", function() return { exec = comm, pid = pid } end)
      """)
    #expect(calls.status == 0, "\(calls.errors)")
    let events = try calls.lines.map { try JSON($0) }
    let pid = try #require(events.last { $0["exec"]?.text == name }?["pid"])
    #expect(!events.contains { $0["call"]?.text != nil && $0["pid"] == pid }, "\(calls.output)")
  }

  @Test(.requires(.clang)) func programsInC() throws {
    let directory = try TemporaryDirectory()
    _ = try directory.write(
      "x.bpf.c",
      """
      #include "vmlinux.h"
      #include <bpf/bpf_helpers.h>
      struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, u64); __uint(max_entries, 8); }
        seen SEC(".maps");
      SEC("raw_tp/sys_enter") int first(void *context) { return 0; }
      SEC("raw_tp/sys_exit") int second(void *context) { return 0; }
      """)
    let script = try directory.write(
      "x.lua",
      """
      local o = bpf.object("x.bpf.c")
      o:attach()
      o.maps.seen[1] = 2
      assert(o.maps.seen[1] == nil and next(o.maps.seen:drain()) == nil)
      for _ in pairs(o.maps.seen) do error("an entry") end
      """)
    let run = try moontrace("check", "-v", script)
    #expect(run.status == 0 && run.errors == "\(script): 2 probes, 2 targets\n", "\(run.errors)")
    let broken = try directory.write("y.bpf.c", "\nint x = ;\n")
    let mistake = try moontrace("check", "-e", "bpf.object('\(broken)')")
    #expect(mistake.status == 1 && mistake.errors == "\(broken):2: C error: expected expression\n")
  }

  @Test func wrongUsage() throws {
    #expect(try moontrace("check").status == 2)
    #expect(try moontrace("check", "no-such-recipe").status == 2)
    let unknown = try moontrace("check", "--formt", "json", "opensnoop")
    #expect(unknown.status == 2 && unknown.errors.contains("Did you mean '--format'?"))
    let option = try moontrace("check", "opensnoop", "--no-such")
    #expect(option.status == 2 && option.errors.contains("--no-such"))
  }

  /// The kernel's types can be read by all, tracefs by root unless it is mounted otherwise.
  @Test(.requires(.typeInformation)) func withoutRoot() throws {
    let directory = try TemporaryDirectory()
    try check("open the directory") { chmod(directory.name, 0o755) }
    let program = directory.path("moontrace")
    try #require(try Subprocess("/bin/cp", [MoontraceProcess.executable, program]).wait() == 0)
    func run(_ script: String) throws -> MoontraceProcess.Finished {
      try runShell(
        "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \"$0\" check -v -e '\(script)'",
        program: program)
    }
    let good = try run(
      """
      probe("rawtracepoint:sched_switch", function(args) return { next = args.next.pid } end)
      probe("fentry:vfs_read", function(args) return { count = args.count } end)
      """)
    #expect(good.status == 0 && good.errors == "(command line): 2 probes, 2 targets\n", "\(good.errors)")
    let bad = try run("probe(\"fentry:vfs_read\", function(args) return { count = args.cont } end)")
    #expect(bad.status == 1 && bad.errors.contains("did you mean 'count'?"), "\(bad.errors)")
  }
}
