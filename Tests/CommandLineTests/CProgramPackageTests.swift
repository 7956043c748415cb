import Glibc
import KernelLoader
import KernelTestSupport
import Packages
import Support
import Testing

/// Packages that run: JSON, YAML, tar, skeletons, standard input; what their annotations say.
@Suite(.requires(.root, .clang))
struct CProgramPackageTests {
  private static let source = """
    const volatile bool failed;
    const volatile int target = 5;
    struct event { __u32 number, more; };
    struct event *kept;
    RING(events);
    ON_CALL {
      ONLY_OURS;
      __u64 record[2] = {(__u32)target + ((__u64)failed << 32), 9};
      bpf_ringbuf_output(&events, record, sizeof record, 0);
      return 0;
    }
    """

  private static let skeleton = """
    "data_sections": [{"name": ".rodata", "variables": [
      {"name": "failed", "type": "bool",
        "cmdarg": {"default": true, "short": "f", "long": "only-failed", "help": "only failed ones"}},
      {"name": "target", "type": "int", "description": "Which one", "cmdarg": {"short": "t", "default": 77}}]}],
    "doc": {"version": "1.2", "brief": "Trace it all.", "details": "And\\nmore."}
    """

  private static let bench = Result { try CProgramBench(source) }

  /// The package with a map's export by what `rule` says; `EVENT` and `U32` are types' numbers.
  private static func package(_ rule: String, more: String = "") throws -> Package {
    let bench = try bench.get()
    let types = try BPFObject(bytes: readFile(bench.object), name: "test").types
    let event = try #require(types.find("event", .struct))
    let word = try #require(types.find("__u32", .typedef))
    let text = rule.replacing("EVENT", with: "\(event)").replacing("U32", with: "\(word)")
    return try bench.package(
      skeleton + ", \"maps\": [{\"name\": \"events\", \"ident\": \"events\", \(text)}]",
      more.replacing("EVENT", with: "\(event)"))
  }

  private static let typed = "\"export_config\": {\"btf_type_id\": EVENT}"
  private static let line = "{\"number\":77,\"more\":1}\n"

  private func run(_ package: Package, _ arguments: String...) throws -> MoontraceProcess.Finished {
    let bench = try CProgramBench(Self.source)  // a directory of its own
    return try bench.run(arguments, target: try bench.write(package), options: ["-f", "json"], command: "getppid 1")
  }

  // MARK: Where packages come from

  @Test func everyFormRuns() throws {
    let bench = try CProgramBench(Self.source)
    let package = try Self.package(Self.typed)
    let tar = "\(bench.directory)/test.tar"
    try writeFile(tar, try TarPackage(package: package).bytes())
    let skeleton = "\(bench.directory)/test.skel.json"
    var targets = [try bench.write(package), try bench.write(package, .yaml), tar]
    for target in targets { #expect(try output(bench, target) == Self.line) }
    try writeFile(skeleton, package.meta.bytes(.json))
    // A skeleton describes the object that it stands beside.
    targets = [skeleton, bench.object]
    for target in targets { #expect(try output(bench, target) == Self.line) }
  }

  private func output(_ bench: CProgramBench, _ target: String) throws -> String {
    let run = try bench.run(target: target, options: ["-f", "json"], command: "getppid 1")
    #expect(run.errors == "", "\(target)")
    return run.output
  }

  @Test func aPackageOnStandardInput() throws {
    let bench = try Self.bench.get()
    for format in DataFormat.allCases {
      let text = String(decoding: try Self.package(Self.typed).bytes(format), as: UTF8.self)
      let run = try bench.run(target: "-", options: ["-f", "json"], command: "getppid 1", input: text)
      #expect(run.output == Self.line && run.errors == "", "\(run.errors)")
    }
  }

  @Test func fromLua() throws {
    let bench = try CProgramBench(Self.source)
    let path = try bench.write(try Self.package(Self.typed))
    let script = """
      local o = bpf.object("\(path)", { ["only-failed"] = false, workload = arg[1]:match("[^/]+$") })
      o.maps.events:each(function(e) print(e.number, e.more) end)
      o:attach()
      """
    let workload = try ObjectBench.copyWorkload()
    let run = try moontrace("run", "-c", "exec \(workload) getppid 1 >/dev/null", "-d", "60", "-e", script, workload)
    #expect(run.output == "77\t0\n" && run.errors == "", "\(run.errors)")
  }

  // MARK: Options

  @Test func optionsAsAnnotated() throws {
    let package = try Self.package(Self.typed)
    #expect(try run(package, "-t", "8").output == "{\"number\":8,\"more\":1}\n")
    #expect(try run(package, "--no-only-failed", "--target=-1").output == "{\"number\":4294967295,\"more\":0}\n")
    let wrong = try run(package, "-t", "x")
    #expect(wrong.status == 2)
    #expect(wrong.errors == "--target: expected an integer from -2147483648 to 2147483647, got 'x'\n")
  }

  @Test func helpIsOfThePackage() throws {
    #expect(
      try run(try Self.package(Self.typed), "--help").output == """
        Usage: moontrace run package.json [OPTION]...

        Trace it all.

        Options:
          -f, --[no-]only-failed  only failed ones (default: on)
          -t, --target INTEGER    Which one (default: 77)
              --workload TEXT     char[16]
          -h, --help              show this help

        And more.

        Version: 1.2

        """)
  }

  @Test func annotationsThatMakeNoSense() throws {
    func failure(_ variables: String) throws -> String {
      let bench = try CProgramBench(Self.source)
      let package = try bench.package("\"data_sections\": [{\"name\": \".rodata\", \"variables\": [\(variables)]}]")
      let path = try bench.write(package)
      let run = try bench.run(target: path)
      #expect(run.status == 1)
      return run.errors.replacing(path + ": ", with: "")
    }
    #expect(
      try failure(#"{"name": "target", "type": "int", "cmdarg": {"default": "many"}}"#)
        == "the default of 'target': expected an integer from -2147483648 to 2147483647, got 'many'\n")
    #expect(
      try failure(#"{"name": "target", "type": "int", "cmdarg": {"short": "tt"}}"#)
        == "variable 'target': its short option 'tt' is no letter\n")
    #expect(
      try failure(#"{"name": "target", "type": "int", "cmdarg": {"long": "failed"}}"#)
        == "variables 'target' and 'failed' are both the option --failed\n")
  }

  // MARK: Records

  @Test func typesOfRecords() throws {
    let members = "\"export_config\": {\"custom_members\": [{\"name\": \"last\", \"offset\": 8, \"btf_type_id\": U32}]}"
    #expect(try run(try Self.package(members)).output == "{\"last\":9}\n")
    let only = ", \"export_types\": [{\"name\": \"event\", \"members\": [], \"size\": 8, \"type_id\": EVENT}]"
    #expect(try run(try Self.package("\"export_config\": \"no_export\"", more: only)).output == Self.line)
    // 16 bytes are sent: nothing says what they are.
    let bytes = try run(try Self.package("\"export_config\": \"default\""))
    #expect(bytes.output == "{\"bytes\":\"4d000000010000000900000000000000\"}\n")
    #expect(bytes.errors.contains("--event 'events=struct NAME'"))
    let wrong = try run(try Self.package("\"export_config\": {\"btf_type_id\": U32}"))
    #expect(wrong.status == 1 && wrong.errors.contains("export_config of map 'events': type"), "\(wrong.errors)")
    let absent = try run(try Self.package("\"export_config\": {\"btf_type_id\": 99999}"))
    #expect(absent.status == 1 && absent.errors.contains("99999"), "\(absent.errors)")
  }

  @Test func stacksAreNamed() throws {
    let bench = try CProgramBench(
      """
      struct stacks { __u32 pid, cpu_id; char comm[16]; __s32 kernel_length, ustack_sz; __u64 kstack[20], ustack[20]; };
      RING_OF(traces, struct stacks);
      ON_CALL {
        ONLY_OURS;
        struct stacks *s = bpf_ringbuf_reserve(&traces, sizeof *s, 0);
        if (!s) return 0;
        s->pid = bpf_get_current_pid_tgid() >> 32, s->cpu_id = 1, bpf_get_current_comm(s->comm, 16);
        s->kernel_length = bpf_get_stack(ctx, s->kstack, sizeof s->kstack, 0);
        s->ustack_sz = -14;
        bpf_ringbuf_submit(s, 0);
        return 0;
      }
      """)
    let package = try bench.package(
      """
      "maps": [{"name": "traces", "ident": "traces",
        "intepreter": {"stack_trace": {"field_map": {"kstack_sz": "kernel_length"}}}}]
      """)
    let run = try bench.run(target: try bench.write(package), options: ["-f", "json"], command: "getppid 1")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let record = try JSON(try #require(run.lines.first))
    #expect(record["cpu_id"] == .integer(1) && record["ustack"] == .text(""))
    #expect(record["kstack"]?.text?.contains("do_syscall_64+0x") == true, "\(run.output)")
    #expect(record["kernel_length"] == nil && record["ustack_sz"] == nil)
    let wrong = try bench.package(
      """
      "maps": [{"name": "traces", "ident": "traces", "intepreter": {"stack_trace": {"field_map": {"pid": "tgid"}}}}]
      """)
    let failed = try bench.run(target: try bench.write(wrong))
    #expect(failed.status == 1)
    #expect(failed.errors.contains("map 'traces': stack_trace: its record 'stacks' has no member 'tgid'"))
  }

  /// Of a process that is gone nothing tells the names; its addresses stay.
  @Test func stacksOfProcessesThatHaveEnded() throws {
    let bench = try CProgramBench(
      """
      struct stacks { __u32 pid; __s32 ustack_sz; __u64 ustack[3]; };
      RING_OF(traces, struct stacks);
      ON_CALL {
        ONLY_OURS;
        struct stacks s = {.pid = 0x7ffffffe, .ustack_sz = 16, .ustack = {0x1234, 0x7f0000005678, 9}};
        bpf_ringbuf_output(&traces, &s, sizeof s, 0);
        return 0;
      }
      """)
    let package = try bench.package(
      #""maps": [{"name": "traces", "ident": "traces", "intepreter": {"stack_trace": {}}}]"#)
    let run = try bench.run(target: try bench.write(package), options: ["-f", "json"], command: "getppid 1")
    #expect(run.output == #"{"pid":2147483646,"ustack":"0x1234\n0x7f0000005678"}"# + "\n", "\(run.errors)")
  }

  // MARK: Places

  @Test func placesAsAnnotated() throws {
    let bench = try CProgramBench("int n; SEC(\"tc\") int filter(struct __sk_buff *skb) { n++; return 0; }")
    func run(_ hook: String) throws -> MoontraceProcess.Finished {
      let package = try bench.package(
        "\"progs\": [{\"name\": \"filter\", \"attach\": \"tc\", \"link\": true\(hook)}]")
      return try bench.run(target: try bench.write(package), options: ["--allow", "kernel.write"])
    }
    let egress = try run(#", "tchook": {"ifindex": 1, "attach_point": "BPF_TC_EGRESS"}"#)
    #expect(egress.status == 0 && egress.errors == "", "\(egress.errors)")
    let standard = try run("")
    #expect(standard.status == 0)
    #expect(standard.errors.contains("program 'filter' is attached to interface lo, for its package names none"))
    let absent = try run(#", "tchook": {"ifindex": 99999}"#)
    #expect(
      absent.status == 2 && absent.errors.contains("program 'filter': tchook: there is no network interface 99999"))
    let custom = try run(#", "tchook": {"attach_point": "BPF_TC_CUSTOM"}"#)
    #expect(custom.status == 1)
    #expect(custom.errors.contains("tchook: 'attach_point' BPF_TC_CUSTOM needs the number of a queue"))
    let kind = try run(#", "tchook": 5"#)
    #expect(kind.status == 1 && kind.errors.contains("'tchook' must be an object"))
  }

  // MARK: What is no package

  @Test func brokenPackages() throws {
    let directory = try TemporaryDirectory()
    let bytes = try Self.package(Self.typed).bytes(.json)
    let cut = directory.path("cut.json")
    try writeFile(cut, Array(bytes.prefix(bytes.count / 2)))
    let half = try moontrace("run", cut)
    #expect(half.status == 1 && half.errors.contains("cut.json"), "\(half.errors)")
    let other = try moontrace("run", try directory.write("other.json", "{\"a\": 1}"))
    #expect(other.status == 1 && other.errors.contains("other.json"), "\(other.errors)")
    let alone = directory.path("alone.skel.json")
    try writeFile(alone, try Self.package(Self.typed).meta.bytes(.json))
    let skeleton = try moontrace("run", alone)
    #expect(skeleton.status == 2 && skeleton.errors.contains("its object is not beside it: there is no "))
    let tar = try moontrace("run", try directory.write("x.tar", "nothing"))
    #expect(tar.status == 1 && tar.errors.contains("x.tar"), "\(tar.errors)")
  }
}
