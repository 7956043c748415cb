import Glibc
import KernelTestSupport
import Support
import Testing

/// `moontrace build`: what becomes of programs as others write them.
@Suite(.requires(.clang, .typeInformation)) struct BuildTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  /// Writes a program and builds it in a directory of its own.
  private func build(
    _ name: String, _ text: String, _ options: String..., headers: [String: String] = [:]
  ) throws -> MoontraceProcess.Finished {
    for (header, text) in headers { _ = try directory.write(header, text) }
    let path = try directory.write("\(name).bpf.c", text)
    return try MoontraceProcess(["build", path] + options).wait()
  }

  private func text(_ file: String) throws -> String {
    String(decoding: try readFile(directory.path(file)), as: UTF8.self)
  }

  /// A skeleton as JSON, after blanks and numbers of types, which are another compiler's choice, are taken out.
  private func skeleton(_ name: String) throws -> JSON {
    let text = try text("\(name).skel.json").replacing(/\n */, with: "").replacing("\": ", with: "\":")
    return try JSON(text.replacing(/type_id":[0-9]+/, with: "type_id\":0"))
  }

  private func exported(_ name: String) throws -> [String] {
    try skeleton(name)["export_types"]?.list?.compactMap { $0["name"]?.text } ?? []
  }

  private func map(_ name: String, in program: String) throws -> JSON {
    try #require(try skeleton(program)["bpf_skel"]?["maps"]?.list?.first { $0["name"] == .text(name) })
  }

  @Test func aRingBufferAndOptions() throws {
    let run = try build("opensnoop", BuildPrograms.opensnoop, headers: ["opensnoop.h": BuildPrograms.opensnoopHeader])
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.lines == ["opensnoop.bpf.o", "opensnoop.skel.json", "package.json"].map(directory.path))
    #expect(try skeleton("opensnoop") == JSON(BuildPrograms.opensnoopSkeleton))
    let package = try JSON(try text("package.json").replacing("\n", with: ""))
    let object = try readFile(directory.path("opensnoop.bpf.o"))
    #expect(package["bpf_object_size"]?.integer == Int64(object.count))
    #expect(package["meta"]?["bpf_skel"]?["obj_name"]?.text == "opensnoop_bpf")
  }

  /// The object is stripped of DWARF, keeps its BTF with the type that is only pointed to, and loads.
  @Test(.requires(.root)) func theObjectLoads() throws {
    _ = try build("opensnoop", BuildPrograms.opensnoop, headers: ["opensnoop.h": BuildPrograms.opensnoopHeader])
    let object = directory.path("opensnoop.bpf.o")
    let image = try ELFImage(bytes: readFile(object), name: object)
    #expect(!image.sections.contains { $0.name.contains("debug") } && image.section(".BTF.ext") != nil)
    #expect(image.symbols().contains { $0.name == "tracepoint__syscalls__sys_exit_openat" && $0.type == 2 })
    let run = try moontrace(
      "-e", "local o = bpf.object '\(object)' o.globals.pid_target = 1 o:load() print(o.globals.offset, o.globals.name)"
    )
    // Nothing of its buffer is shown, not even the columns' heads.
    #expect(run.output == "-4\tcat\n", "\(run.errors)")
    if system("command -v llvm-objcopy >/dev/null") == 0 {
      let again = try runShell(
        "llvm-objcopy -g \(object) \(directory.path("again.o")) && wc -c < \(directory.path("again.o"))")
      #expect(again.status == 0, "\(again.errors)")
    }
  }

  @Test func aSampledHistogram() throws {
    let run = try build("hist", BuildPrograms.histogram)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(
      try map("hists", in: "hist")["sample"]
        == JSON(#"{"interval":1000,"type":"log2_hist","unit":"usecs","clear_map":true}"#))
    #expect(try exported("hist") == [])
    let program = try skeleton("hist")["bpf_skel"]?["progs"]?.list
    #expect(program == [try JSON(#"{"name":"handle_switch","attach":"tp_btf/sched_switch","link":true}"#)])
  }

  @Test func perfBuffersWithStacks() throws {
    let run = try build("stacks", BuildPrograms.stacks)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(try exported("stacks") == ["stacktrace_event", "alert"])
    #expect(try skeleton("stacks")["enable_multiple_export_types"] == .boolean(true))
    #expect(
      try map("events", in: "stacks")["intepreter"]
        == JSON(#"{"stack_trace":{"field_map":{"pid":"process"},"with_symbols":false}}"#))
    #expect(try map("alerts", in: "stacks")["export_config"] == JSON(#"{"btf_type_id":0}"#))
  }

  @Test func networkPrograms() throws {
    let run = try build("net", BuildPrograms.network)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(try exported("net") == ["packet"])
    let programs = try skeleton("net")["bpf_skel"]?["progs"]?.list
    let expected = [
      #"{"name":"on_egress","attach":"tc","link":true,"tchook":{"ifindex":2,"attach_point":"BPF_TC_EGRESS"},"#
        + #""tcopts":{"handle":1,"priority":1}}"#,
      #"{"name":"pass","attach":"xdp","link":true,"ifindex":1,"flags":2,"xdpopts":{"old_prog_fd":0},"note":"first draft"}"#,
    ]
    #expect(try programs == expected.map { try JSON($0) })
  }

  /// Macros of libbpf 1.2 and 1.3, a name that is none in C, and constants without names.
  @Test func newerHeadersAndOddNames() throws {
    let text = """
      #include "vmlinux.h"
      #include <bpf/bpf_helpers.h>
      #include <bpf/bpf_tracing.h>
      extern void bpf_rcu_read_lock(void) __ksym __weak;
      SEC("uprobe//bin/bash:readline")
      int BPF_UPROBE(on_readline, const char *prompt) {
        if (bpf_ksym_exists(bpf_rcu_read_lock)) bpf_printk("%s", "there");
        return 0;
      }
      SEC("uretprobe//bin/bash:readline")
      int BPF_URETPROBE(readline_done, const void *line) { return line != 0; }
      char LICENSE[] SEC("license") = "GPL";
      """
    let run = try build("bash-read.line", text)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let skeleton = try #require(try skeleton("bash-read.line")["bpf_skel"])
    #expect(skeleton["obj_name"]?.text == "bash_read_line_bpf")
    #expect(skeleton["progs"]?.list?.map { $0["name"]?.text } == ["on_readline", "readline_done"])
    let constants = skeleton["maps"]?.list?.filter { $0["ident"]?.text?.hasPrefix("rodata") ?? false } ?? []
    #expect(!constants.isEmpty && constants.allSatisfy { $0["mmaped"] == .boolean(false) })
  }

  /// Kernels since 6.10 say which functions programs may call; a program may declare one itself.
  @Test func functionsOfTheKernel() throws {
    let text = """
      #include "vmlinux.h"
      #include <bpf/bpf_helpers.h>
      #ifdef OWN
      extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
      extern void bpf_task_release(struct task_struct *task) __ksym;
      #endif
      SEC("tp_btf/sched_switch") int on_switch(void *ctx) {
        struct task_struct *task = bpf_task_from_pid(1);
        if (task) bpf_task_release(task);
        return 0;
      }
      char LICENSE[] SEC("license") = "GPL";
      """
    for options in [["-DOWN"], ["-DOWN", "-DBPF_NO_KFUNC_PROTOTYPES"], []] {
      let path = try directory.write("kfunc.bpf.c", text)
      let run = try MoontraceProcess(["build", path] + options).wait()
      let isMissing = options.isEmpty && run.errors.contains("undeclared function 'bpf_task_from_pid'")
      let tagged = "bpftool btf dump file /sys/kernel/btf/vmlinux 2>/dev/null | grep -q \"DECL_TAG 'bpf_kfunc'\""
      let isOlder = system(tagged) != 0
      #expect(run.status == 0 && run.errors == "" || isMissing && isOlder, "\(run.errors)")
    }
  }

  /// What docs/c-programs.md begins with.
  @Test func theFirstExample() throws {
    let page = try MarkdownDocument("c-programs.md").text
    let start = try #require(page.firstRange(of: "```c\n")).upperBound
    let end = try #require(page[start...].firstRange(of: "```\n")).lowerBound
    // The reader of pages joins lines that end in a backslash; this program has none.
    let run = try build("openers", String(page[start..<end]))
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(try exported("openers") == ["event"])
    #expect(
      try skeleton("openers")["bpf_skel"]?["data_sections"]?.list?.first?["variables"]?.list?.first?["cmdarg"]
        == JSON(#"{"short":"p"}"#))
  }

  // MARK: Types of events

  @Test func typesThroughHeadersFunctions() throws {
    let run = try build("compat", BuildPrograms.compat, headers: ["compat.bpf.h": BuildPrograms.compatHeader])
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(try exported("compat") == ["event_t"])
  }

  /// Many programs bring a vmlinux.h of their own.
  @Test func anOwnKernelHeader() throws {
    let types =
      "#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n#include <linux/bpf.h>\n"
      + "typedef __u32 u32; typedef __u64 u64;\n#endif\n"
    let program = BuildPrograms.untyped.replacing("char *bytes", with: "struct wide *wide")
      .replacing("SIZE", with: "sizeof(*wide)").replacing("bytes[0]", with: "wide->a[0]").replacing(
        "bytes", with: "wide")
    let run = try build("own", program, headers: ["vmlinux.h": types])
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(try exported("own") == ["wide"])
  }

  @Test func typesBySizeByNameAndByHeader() throws {
    let program = BuildPrograms.untyped
    let unknown = try build("untyped", program, "-DSIZE=24")
    #expect(
      unknown.status == 0
        && unknown.errors == "\(directory.path("untyped.bpf.c")):5: warning: the type of the events in 'events' is not "
          + "found (name it with --event 'events=struct NAME', or __type(value, struct NAME) in the map)\n",
      "\(unknown.errors)")
    #expect(try exported("untyped") == [])
    #expect(try map("events", in: "untyped")["export_config"] == .text("no_export"))
    #expect(try build("untyped", program, "-D", "SIZE=24", "--event", "events=wide").errors == "")
    #expect(try exported("untyped") == ["wide"])
    let types = "struct wide { u64 a[2]; };\n"
    let separate = program.replacing(types, with: "#include \"types.h\"\n")
    #expect(
      try build("untyped", separate, directory.path("types.h"), "-DSIZE=24", headers: ["types.h": types]).errors == "")
    #expect(try exported("untyped") == ["wide"])
    let marked = program.replacing("struct wide", with: "/// @export\nstruct wide")
    #expect(try build("untyped", marked, "-DSIZE=24").errors == "")
    #expect(try exported("untyped") == ["wide"])
    let declared = program.replacing(
      "BPF_MAP_TYPE_RINGBUF);", with: "BPF_MAP_TYPE_RINGBUF); __type(value, struct other);")
    #expect(try build("untyped", declared, "-DSIZE=24").errors == "")
    #expect(try exported("untyped") == ["other"])
  }

  @Test func typesOfAHeaderThatIsNotIncluded() throws {
    let header = ["types.h": "struct first { u32 a; };\nstruct second { u64 b; char name[4]; };\n"]
    let run = try build("hist", BuildPrograms.histogram, directory.path("types.h"), headers: header)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(try exported("hist") == ["first", "second"])
  }

  @Test func typesThatAreNot() throws {
    for (option, message) in [
      ("evnts=wide", "--event: 'evnts' is no ring or perf buffer (did you mean 'events'?)"),
      ("events=struct wid", "the events in 'events' are said to be 'struct wid', which the program does not define"),
      ("events", "--event 'events' names no type"),
    ] {
      let run = try build("untyped", BuildPrograms.untyped, "-DSIZE=24", "--event", option)
      #expect(run.status == 2 && run.errors.contains(message), "\(run.errors)")
    }
  }

  // MARK: What clang says

  @Test func errorsAndWarningsHaveTheirLines() throws {
    let bad = try build("bad", "#include \"vmlinux.h\"\nint x = ;\n")
    let path = directory.path("bad.bpf.c")
    #expect(bad.status == 1 && bad.output == "")
    #expect(bad.errors.hasPrefix("\(path):2:9: error: expected expression\n    2 | int x = ;\n"), "\(bad.errors)")
    #expect(bad.errors.hasSuffix("moontrace: \(path) does not compile\n"))
    #expect(access(directory.path("package.json"), F_OK) != 0)
    let suspicious =
      "#include \"vmlinux.h\"\nint f(int a) { int b; return a; }\nchar _license[] __attribute__((section(\"license\"))) = \"GPL\";\n"
    // What is kept from the first time says it again.
    for _ in 0..<2 {
      let run = try build("suspicious", suspicious)
      #expect(
        run.status == 0 && run.errors.contains("suspicious.bpf.c:2:20: warning: unused variable 'b'"), "\(run.errors)")
      #expect(!run.errors.contains("\u{1b}"))
    }
    #expect(try build("suspicious", suspicious, "--color", "always").errors.contains("\u{1b}[0;1;35mwarning: "))
  }

  @Test func wrongAnnotations() throws {
    let program = BuildPrograms.histogram.replacing("\"interval\": 1000", with: "\"interval\": \"1s\"")
    let run = try build("hist", program)
    #expect(
      run.status == 1
        && run.errors
          == "moontrace: \(directory.path("hist.bpf.c")):10: @sample.interval: an integer is needed, this is a string\n",
      "\(run.errors)")
  }

  @Test func whatCanNotBeBuilt() throws {
    let path = try directory.write("x.bpf.c", BuildPrograms.histogram)
    func error(_ arguments: String..., status: Int32, environment: [String] = []) throws -> String {
      let run = try MoontraceProcess(["build"] + arguments, environment: environment).wait()
      #expect(run.status == status, "\(run.errors)")
      return run.errors
    }
    #expect(
      try error("/no/such.bpf.c", status: 2) == "moontrace: can't read '/no/such.bpf.c': No such file or directory\n")
    #expect(try error(path, status: 4, environment: ["PATH=/nonexistent"]).contains("apt install clang"))
    #expect(try error(path, "--arch", "arm65", status: 2).contains("--arch 'arm65' is unknown (did you mean 'arm64'?)"))
    #expect(try error(path, "-o", "x.txt", status: 2).contains("end it with .json, .yaml, .tar or .o"))
    #expect(try error(path, "--vmlinux", "/no/vmlinux.h", status: 2).contains("can't read '/no/vmlinux.h'"))
    #expect(try error(path, "--tar", status: 2).contains("--btf"))
    #expect(try error(path, "/no/header.h", status: 2).contains("can't read '/no/header.h'"))
  }
}
