import Glibc
import Packages
import Support
import Testing

/// Runs programs in C by themselves, with a workload of the test's own.
struct CProgramBench {
  /// What the programs of tests begin with, beyond `BPFSource.prelude`: a ring buffer, which has room for all that a
  /// workload sends however late it is read, and what tells the calls that the workload makes (getppid) from others.
  static let prelude = """
    #define RING(NAME) struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 20); } NAME SEC(".maps")
    #define RING_OF(NAME, V) struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 20); \\
      __type(value, V); } NAME SEC(".maps")
    #define ON_CALL SEC("raw_tp/sys_enter") int on_call(struct bpf_raw_tracepoint_args *ctx)
    #define ONLY_OURS if (ctx->args[1] != 110 || !is_ours()) return 0

    """

  /// The directory that holds the object, for what is to stand beside it.
  let directory: String
  /// `test.bpf.o` in it.
  let object: String

  init(_ source: String) throws {
    directory = TemporaryDirectory.untilExit()
    object = try BPFSource.compile(Self.prelude + source, in: directory)
  }

  /// Runs the object, or another target, while the workload makes calls; to the end of both.
  func run(
    _ arguments: [String] = [], target: String? = nil, options: [String] = [], command: String = "getppid 3",
    input: String = ""
  ) throws -> MoontraceProcess.Finished {
    let workload = try ObjectBench.copyWorkload()
    let name = workload.split(separator: "/").last.map(String.init) ?? workload
    let started = ["-c", "exec \(workload) \(command) >/dev/null", "-d", "60"]
    return try MoontraceProcess(
      ["run"] + started + options + [target ?? object, "--workload", name] + arguments, input: input
    ).wait()
  }

  /// The records that a run prints as JSON.
  func records(
    _ arguments: [String] = [], options: [String] = [], command: String = "getppid 3"
  ) throws -> [JSON] {
    let run = try run(arguments, options: ["-f", "json"] + options, command: command)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return try run.lines.map { try JSON($0) }
  }

  /// A package of the object; `meta` is the JSON of its `bpf_skel` without the braces.
  func package(_ skeleton: String, _ more: String = "") throws -> Package {
    let text = "{\"bpf_skel\": {\"obj_name\": \"test\", \(skeleton)}\(more)}"
    return Package(
      object: try readFile(object), meta: try PackageMeta(Array(text.utf8), .json, name: "test.skel.json"))
  }

  /// Writes a package beside the object; its path.
  func write(_ package: Package, _ format: DataFormat = .json) throws -> String {
    let path = "\(directory)/package.\(format.rawValue)"
    try writeFile(path, package.bytes(format))
    return path
  }
}
