import Glibc
import KernelTestSupport
import Support
import Testing

/// Objects that can't be opened, loaded or attached: the place, the cause, the remedy and the exit code.
@Suite(.requires(.clang)) struct BadObjectTests {
  static let program = "SEC(\"raw_tp/sys_enter\") int on_call(void *ctx) { return 0; }"

  /// Opens (and attaches) the object at `path` on line 2 of a script; what is said behind the place.
  private func message(
    _ path: String, status: Int32, _ action: String = ":attach()", sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let run = try moontrace("-d", "60", "-e", "\nbpf.object(arg[1])\(action)", path)
    #expect(run.status == status, "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.output == "", sourceLocation: sourceLocation)
    let place = "(command line):2: "
    #expect(run.errors.hasPrefix(place), "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)", sourceLocation: sourceLocation)
    return String(run.errors.dropFirst(place.count).dropLast())
  }

  /// The same for an object of C text, whose path is left out of the message.
  private func message(
    of source: String, status: Int32, _ action: String = ":attach()",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let path = try BPFSource.compile(source)
    let text = try message(path, status: status, action, sourceLocation: sourceLocation)
    #expect(text.hasPrefix("\(path): "), "\(text)", sourceLocation: sourceLocation)
    return text.replacing("\(path): ", with: "", maxReplacements: 1)
  }

  // MARK: Files

  @Test func filesThatAreNoObjects() throws {
    #expect(try message("/nonexistent/x.o", status: 1) == "/nonexistent/x.o: No such file or directory")
    #expect(try message("/tmp", status: 1) == "/tmp: Is a directory")
    #expect(
      try message("/etc/passwd", status: 1)
        == "/etc/passwd: not an ELF file (give an object that clang -target bpf made)")
    #expect(try message("/dev/null", status: 1).contains("not an ELF file"))
    #expect(try message("/bin/true", status: 1).contains("an ELF file for another machine (number 62)"))
  }

  @Test func argumentsThatAreNoPaths() throws {
    let run = try moontrace("-e", "bpf.object()")
    #expect(run.status == 1 && run.errors == "(command line):1: bpf.object: expected a path, got nil\n")
    let c = try moontrace("-e", "bpf.compile(5)")
    #expect(c.status == 1 && c.errors == "(command line):1: bpf.compile: expected C source text, got number\n")
  }

  @Test func objectsForOthers() throws {
    let big = try BPFSource.compile(Self.program, target: "bpfeb")
    #expect(
      try message(big, status: 1)
        == "\(big): built for big-endian machines; this one is little-endian (compile with -target bpfel)")
    let untyped = try BPFSource.compile(
      Self.program, prelude: "#define SEC(name) __attribute__((section(name), used))\n", debug: "-g0")
    #expect(try message(untyped, status: 1) == "\(untyped): has no BTF type information (compile with clang -g)")
  }

  @Test func truncatedObjects() throws {
    let whole = try readFile(try BPFSource.compile(Self.program))
    let directory = try TemporaryDirectory()
    for length in [0, 1, 4, 40, 64, 65, whole.count / 3, whole.count / 2, whole.count - 1] {
      let path = directory.path("cut.bpf.o")
      try writeFile(path, Array(whole.prefix(length)))
      let text = try message(path, status: 1)
      #expect(text.hasPrefix("\(path): \(length < 4 ? "not an" : "truncated") ELF file"), "\(length): \(text)")
    }
  }

  // MARK: Names

  @Test func misspeltNames() throws {
    let source =
      "int number;\nMAP(counts, HASH, __u32, __u64, 4);\n" + Self.program.replacing("return 0", with: "return number")
    #expect(
      try message(of: source, status: 1, ".programs.on_cal:attach()")
        == "no program 'on_cal' (did you mean 'on_call'?)")
    #expect(try message(of: source, status: 1, ".maps.count[1] = 1") == "no map 'count' (did you mean 'counts'?)")
    #expect(try message(of: source, status: 1, ".globals.numbr = 1") == "no global 'numbr' (did you mean 'number'?)")
  }

  // MARK: What the kernel refuses

  @Test(
    .requires(.root),
    arguments: [
      ("HASH); __uint(key_size, 0); __uint(value_size, 4); __uint(max_entries, 1);", "its key has no size"),
      ("HASH); __uint(key_size, 4); __uint(value_size, 0); __uint(max_entries, 1);", "its value has no size"),
      ("ARRAY); __uint(key_size, 4); __uint(value_size, 4);", "max_entries is 0"),
      ("HASH); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 0xffffffff);", "it is too large"),
      ("HASH); __uint(key_size, 4); __uint(value_size, 0x7fffffff); __uint(max_entries, 1);", "it is too large"),
      ("ARRAY); __uint(key_size, 8); __uint(value_size, 4); __uint(max_entries, 1);", "an array's key is 4 bytes"),
    ])
  func mapsThatTheKernelRefuses(fields: String, reason: String) throws {
    let source = """
      struct { __uint(type, BPF_MAP_TYPE_\(fields) } odd SEC(".maps");
      SEC("raw_tp/sys_enter") int on_call(void *ctx) { __u64 key = 0; return !bpf_map_lookup_elem(&odd, &key); }
      """
    let text = try message(of: source, status: 1)
    #expect(text.hasPrefix("map 'odd' (") && text.contains("refused by the kernel: \(reason)"), "\(text)")
  }

  @Test(
    .requires(.root),
    arguments: [
      ("uprobe", "uprobe:BINARY:SYMBOL"), ("uretprobe", "uretprobe:BINARY:SYMBOL"),
      ("usdt", "usdt:BINARY:PROVIDER:NAME"),
      ("tp", "tracepoint:CATEGORY:EVENT"), ("raw_tp", "rawtracepoint:EVENT"), ("perf_event", "profile:99"),
    ])
  func sectionsThatNameNoTarget(section: String, remedy: String) throws {
    let source = "SEC(\"\(section)\") int bare(void *ctx) { return 0; }"
    #expect(
      try message(of: source, status: 1)
        == "program 'bare': its section '\(section)' does not say what to attach it to "
        + "(p:attach(\"\(remedy)\"))")
  }

  @Test(
    .requires(.root),
    arguments: [
      ("tp/sched/sched_swich", "this kernel has no tracepoint sched:sched_swich (did you mean 'sched_switch'?)"),
      ("tp/shced/sched_switch", "this kernel has no tracepoint category 'shced' (did you mean 'sched'?)"),
      ("raw_tp/sys_entr", "this kernel has no raw tracepoint 'sys_entr' (did you mean 'sys_enter'?)"),
      (
        "tp_btf/sched_swich",
        "this kernel has no 'sched_swich' to attach tp_btf/sched_swich to (did you mean 'sched_switch'?)"
      ),
    ])
  func misspeltTracepoints(section: String, cause: String) throws {
    #expect(
      try message(of: "SEC(\"\(section)\") int on_event(void *ctx) { return 0; }", status: 4)
        == "program 'on_event': \(cause)")
  }

  @Test(.requires(.root, absent: .kprobes)) func kernelProbesWhereThereAreNone() throws {
    #expect(
      try message(of: "SEC(\"kprobe/do_unlinkat\") int on_call(void *ctx) { return 0; }", status: 4)
        == "program 'on_call': this kernel has no kprobes: CONFIG_KPROBES is off (use a tracepoint or rawtracepoint)")
  }

  @Test(.requires(.root, absent: .fentry)) func functionProbesWhereThereAreNone() throws {
    let text = try message(of: "SEC(\"fentry/do_unlinkat\") int on_call(void *ctx) { return 0; }", status: 4)
    #expect(text.hasPrefix("program 'on_call': this kernel has no fentry and fexit: "), "\(text)")
    #expect(text.hasSuffix("use tp_btf, a tracepoint or rawtracepoint)"), "\(text)")
  }

  @Test(.requires(.root)) func placesThatAreNotThere() throws {
    func text(_ spec: String, status: Int32 = 1) throws -> String {
      try message(
        of: "SEC(\"uprobe\") int on_call(void *ctx) { return 0; }", status: status,
        ".programs.on_call:attach('\(spec)')")
    }
    #expect(try text("uprobe:libc:mallloc").contains("(did you mean 'malloc'?)"))
    #expect(try text("uprobe:/no/such/file:main").contains("'/no/such/file'"))
    #expect(try text("uprobe:/etc/passwd:main").contains("not an ELF file"))
    #expect(try text("tracepoint:sched:sched_switch").contains("can't be attached to tracepoint:sched:sched_switch"))
  }

  @Test(.requires(.root)) func specsThatAreNoSpecs() throws {
    let path = try BPFSource.compile(Self.program)
    func text(_ spec: String) throws -> String {
      try message(path, status: 1, ".programs.on_call:attach('\(spec)')")
    }
    #expect(try text("profil:99").hasPrefix("'profil:99': no probe is called 'profil' (did you mean 'profile'?)"))
    #expect(try text("profile:0") == "'profile:0' is no complete probe (write profile:HZ with 1 to 100000)")
    #expect(try text("tracepoint:sched") == "'tracepoint:sched' is no complete probe (write tracepoint:CATEGORY:EVENT)")
    #expect(try text("").contains("no probe is called ''"))
  }

  // MARK: Without rights

  @Test(.requires(.root)) func withoutRoot() throws {
    let directory = TemporaryDirectory.untilExit()
    let executable = "\(directory)/moontrace"
    _ = try Subprocess("/bin/cp", [MoontraceProcess.executable, executable]).wait()
    let object = try BPFSource.compile(Self.program, in: directory)
    for path in [directory, executable] { chmod(path, 0o755) }
    func run(_ script: String, _ options: [String] = []) throws -> (status: Int32, errors: String) {
      let log = "\(directory)/log"
      let errors = OwnedDescriptor(try check("create") { open(log, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) })
      let rights = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
      let status = try Subprocess(
        "setpriv", rights + [executable] + options + ["-e", script, object], descriptors: [2: errors.number]
      ).wait()
      return (status, String(decoding: try readFile(log), as: UTF8.self))
    }
    let load = try run("\nbpf.object(arg[1]):attach()")
    #expect(load.status == 3)
    #expect(
      load.errors == "(command line):2: \(object): not permitted, with CAP_BPF and CAP_PERFMON missing (run as root)\n")
    let statistics = try run("print()", ["--stats"])
    #expect(statistics.status == 3 && statistics.errors.contains("run as root"), "\(statistics.errors)")
  }
}
