import Glibc
import KernelTestSupport
import Packages
import Support
import Testing

/// `moontrace inspect`: what targets are, with nothing run and nothing loaded.
@Suite(.requires(.clang, .typeInformation)) struct InspectTests {
  private static let source = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_core_read.h>
    struct event { u32 pid; char comm[16]; u64 start; };
    /// only this process
    /// @cmdarg {"short": "p"}
    const volatile int target = 7;
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
    /// @sample {"interval": 500, "type": "log2_hist"}
    struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, u64); __uint(max_entries, 64); }
      seen SEC(".maps");
    SEC("raw_tp/sched_process_exec") int on_exec(void *ctx) {
      struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
      if (!event) return 0;
      struct task_struct *task = (void *)bpf_get_current_task();
      event->pid = target;
      event->start = BPF_CORE_READ(task, start_time);
      bpf_get_current_comm(event->comm, sizeof event->comm);
      bpf_ringbuf_submit(event, 0);
      return 0;
    }
    /// @ifindex 1
    SEC("xdp") int pass(struct xdp_md *ctx) { return XDP_PASS; }
    /// @brief Tell of
    /// @version 1.2
    char LICENSE[] SEC("license") = "GPL";
    """

  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func build() throws -> String {
    let path = try directory.write("x.bpf.c", Self.source)
    let run = try moontrace("build", path)
    try #require(run.status == 0, "\(run.errors)")
    return path
  }

  private func json(_ arguments: String...) throws -> JSON {
    let run = try MoontraceProcess(["inspect", "--format", "json"] + arguments).wait()
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return try JSON(try #require(run.lines.first))
  }

  private func named(_ name: String, in list: JSON?) throws -> JSON {
    try #require(list?.list?.first { $0["name"] == .text(name) })
  }

  @Test func aPackage() throws {
    _ = try build()
    let path = directory.path("package.json")
    let about = try json(path)
    #expect(about["kind"] == .text("package (JSON)") && about["license"] == .text("GPL"))
    #expect(about["version"] == .text("1.2"))
    let bytes = try readFile(path)
    #expect(about["size"]?.integer == Int64(bytes.count) && about["digest"] == .text("\(Digest(of: bytes))"))
    let object = try readFile(directory.path("x.bpf.o"))
    #expect(about["object"]?["digest"] == .text("\(Digest(of: object))"))
    let program = try named("on_exec", in: about["programs"])
    #expect(program["section"] == .text("raw_tp/sched_process_exec") && program["place"] == program["section"])
    let helpers = program["helpers"]?.list ?? []
    for name in ["bpf_ringbuf_reserve", "bpf_get_current_comm", "bpf_probe_read_kernel"] {
      #expect(helpers.contains(.text(name)), "\(helpers)")
    }
    let pass = try named("pass", in: about["programs"])
    #expect(pass["place"] == .text("xdp:lo") && pass["annotations"] == .list([.text("ifindex=1")]))
    #expect(pass["kernel_writes"]?.list?.count == 1)
  }

  @Test func mapsOptionsAndEvents() throws {
    _ = try build()
    let about = try json(directory.path("package.json"))
    let seen = try named("seen", in: about["maps"])
    #expect(seen["type"] == .text("hash") && seen["max_entries"]?.integer == 64)
    #expect(seen["key_size"]?.integer == 4 && seen["value_size"]?.integer == 8 && seen["value"] == .text("u64"))
    #expect(seen["sample"] == .text("log2_hist each 500 ms"))
    let option = try #require(about["options"]?.list?.first)
    #expect(option["flag"] == .text("--target") && option["short"] == .text("-p") && option["type"] == .text("int"))
    #expect(option["default"] == .text("7") && option["help"] == .text("only this process"))
    let event = try #require(about["events"]?.list?.first)
    #expect(event["source"] == .text("events") && event["type"] == .text("struct event"))
    #expect(event["size"]?.integer == 32 && event["definition"]?.text?.contains("char comm[16];") == true)
    #expect(event["members"]?.list?.map { $0["offset"]?.integer } == [0, 4, 24])
    #expect(event["members"]?.list?[1]["type"] == .text("char[16]"))
    #expect(about["types"]?["kernel_types"] == .list([.text("struct task_struct")]))
    #expect(try #require(about["types"]?["relocations"]?.integer) > 0)
  }

  /// All forms of one program tell the same of it.
  @Test func allForms() throws {
    let source = try build()
    let package = try Package(readFile(directory.path("package.json")), .json, name: "package.json")
    let yaml = directory.path("x.yaml")
    try writeFile(yaml, package.bytes(.yaml))
    let system = SystemIdentity(distribution: "debian", version: "9", architecture: "x86_64", release: "4.9.0")
    let tar = directory.path("x.tar")
    try writeFile(
      tar, try TarPackage(package: package, kernels: [ArchivedTypes(system: system, btf: [1, 2])]).bytes())
    let first = try json(directory.path("package.json"))
    let targets = [source, directory.path("x.bpf.o"), directory.path("x.skel.json"), yaml, tar]
    for target in targets {
      let about = try json(target)
      for field in ["programs", "maps", "options", "events"] { #expect(about[field] == first[field], "\(target)") }
    }
    let kernels = try json(tar)["types"]?["archived_kernels"]
    #expect(kernels == .list([.text("debian/9/x86_64/4.9.0")]))
  }

  @Test func forPeople() throws {
    _ = try build()
    let run = try moontrace("inspect", directory.path("package.json"))
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    for text in [
      "  license  GPL\n", "  on_exec  (raw_tracepoint, ", "    section  raw_tp/sched_process_exec\n",
      "  -p, --target  int ", "  events: struct event, 32 bytes\n", "    struct event {",
      "         4    16  comm   char[16]\n", " of struct task_struct\n",
    ] { #expect(run.output.contains(text), "\(text)\n\(run.output)") }
  }

  @Test func withoutRoot() throws {
    _ = try build()
    try check("open the directory") { chmod(directory.name, 0o755) }
    let program = directory.path("moontrace")
    try #require(try Subprocess("/bin/cp", [MoontraceProcess.executable, program]).wait() == 0)
    let run = try runShell(
      "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \"$0\" inspect "
        + directory.path("package.json"), program: program)
    #expect(run.status == 0 && run.output.contains("on_exec"), "\(run.errors)")
  }

  // MARK: Lua

  @Test(.requires(.root)) func aScript() throws {
    let script = try directory.write(
      "x.lua",
      """
      recipe { name = "x", summary = "Try it", needs = { "fs.read=/etc" },
        options = { { name = "size", type = "integer", default = 3, help = "how much" } } }
      local m = map { max = 12 }
      local calls = count()
      probe("t:syscalls:sys_*_getppid", function() m[pid] = 1 calls[comm]:add(1) return { id = pid, name = comm } end)
      """)
    let about = try json(script)
    #expect(about["kind"] == .text("Lua script") && about["recipe"] == .text("x"))
    #expect(about["needs"] == .list([.text("fs.read=/etc")]))
    #expect(about["options"]?.list?.first?["default"] == .text("3"))
    let targets = about["probes"]?.list?.flatMap { $0["targets"]?.list ?? [] } ?? []
    #expect(
      Set(targets) == [
        .text("tracepoint:syscalls:sys_enter_getppid"), .text("tracepoint:syscalls:sys_exit_getppid"),
      ])
    let helpers = about["probes"]?.list?.first?["helpers"]?.list ?? []
    for name in ["bpf_get_current_pid_tgid", "bpf_map_update_elem", "bpf_get_current_comm", "bpf_ringbuf_output"] {
      #expect(helpers.contains(.text(name)), "\(helpers)")
    }
    let map = try #require(about["maps"]?.list?.first)
    #expect(map["max_entries"]?.integer == 12 && map["key"] == .text("integer") && map["type"] == .text("hash"))
    #expect(about["aggregates"]?.list?.first?["type"] == .text("count"))
    #expect(about["events"]?.list?.first?["members"]?.list?.map { $0["name"]?.text } == ["id", "name"])
  }

  @Test(.requires(.root)) func recipes() throws {
    let run = try moontrace("inspect", "opensnoop")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    for text in ["recipe", "--pid", "Probes\n", "Events\n", "Calls\n", "  bpf_probe_read_user_str\n"] {
      #expect(run.output.contains(text), "\(run.output)")
    }
    let waiting = try moontrace("inspect", "funccount")
    #expect(
      waiting.status == 0 && waiting.output.contains("Without arguments it only says: which functions?"),
      "\(waiting.errors)")
    let given = try json("funccount", "k:vfs_read")
    #expect(given["probes"]?.list?.first?["targets"] == .list([.text("kprobe:vfs_read")]))
  }

  @Test(.requires(.root)) func mistakesOfAScript() throws {
    let script = try directory.write("bad.lua", "\nprobe('t:sched:sched_swich', function() end)\n")
    let run = try moontrace("inspect", script)
    #expect(run.status == 1 && run.errors.hasPrefix("\(script):2: "), "\(run.errors)")
  }

  // MARK: Bad input

  @Test func damagedObjects() throws {
    _ = try build()
    let object = try readFile(directory.path("x.bpf.o"))
    for length in stride(from: 0, to: object.count, by: max(1, object.count / 40)) {
      let path = directory.path("cut.o")
      try writeFile(path, Array(object.prefix(length)))
      let run = try moontrace("inspect", path)
      #expect(run.status == 1 && run.errors.hasPrefix("moontrace: \(path): "), "\(length): \(run.status) \(run.errors)")
    }
  }

  /// Each word of the header of `.BTF.ext`, and of the relocations their record's size and their number.
  @Test func damagedRelocations() throws {
    _ = try build()
    let object = try readFile(directory.path("x.bpf.o"))
    let section = try #require(try ELFImage(bytes: object, name: "x").section(".BTF.ext"))
    var cursor = ByteCursor(object, at: section.offset + 24)
    let relocations = 32 + Int(try cursor.read(UInt32.self))
    for place in Array(stride(from: 0, to: 32, by: 4)) + [relocations, relocations + 8] {
      var bytes = object
      for index in 0..<4 { bytes[section.offset + place + index] = 0xff }
      let path = directory.path("odd.o")
      try writeFile(path, bytes)
      let run = try moontrace("inspect", path)
      #expect(run.status == 1 && run.errors.hasPrefix("moontrace: \(path): "), "\(place): \(run.errors)")
    }
  }

  @Test func wrongUsage() throws {
    #expect(try moontrace("inspect").status == 2)
    let missing = try moontrace("inspect", "./none.bpf.o")
    #expect(missing.status == 2 && missing.errors.contains("./none.bpf.o"), "\(missing.errors)")
    _ = try build()
    let more = try moontrace("inspect", directory.path("x.bpf.o"), "more")
    #expect(more.status == 2 && more.errors.contains("'more' is for scripts"), "\(more.errors)")
    let package = try directory.write("bad.json", #"{"bpf_object": "x", "meta": 5}"#)
    let bad = try moontrace("inspect", package)
    #expect(bad.status == 1 && bad.errors.contains("\(package): meta"), "\(bad.errors)")
  }

  @Test func namesDriveNoTerminal() throws {
    _ = try build()
    var package = try Package(readFile(directory.path("package.json")), .json, name: "package.json")
    package.meta.skeleton.documentation.brief = "a\u{1b}[2Jb"
    let path = directory.path("y.json")
    try writeFile(path, package.bytes(.json))
    let run = try moontrace("inspect", path)
    #expect(run.status == 0 && run.output.contains("a?[2Jb"), "\(run.output)")
  }
}
