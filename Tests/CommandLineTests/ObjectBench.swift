import Glibc
import KernelLoader
import Support
import Testing

/// BPF objects that tests compile from C, as a user would who brings an object of their own.
enum BPFSource {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// What every source begins with; `is_ours()` keeps the workloads of tests apart that run side by side.
  static let prelude = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_tracing.h>
    #include <bpf/bpf_core_read.h>
    char LICENSE[] SEC("license") = "GPL";
    const volatile char workload[16];
    static __always_inline __attribute__((unused)) bool is_ours(void) {
      char comm[16];
      bpf_get_current_comm(comm, sizeof comm);
      for (int i = 0; i < 16; i++) { // some kernels leave what is behind the NUL as it was
        if (comm[i] != workload[i]) return false;
        if (!comm[i]) break;
      }
      return true;
    }
    #define MAP(NAME, TYPE, K, V, N) struct { __uint(type, BPF_MAP_TYPE_##TYPE); __type(key, K); __type(value, V); \\
      __uint(max_entries, N); } NAME SEC(".maps")

    """

  /// What all that is compiled here includes.
  private static let directory = TemporaryDirectory.untilExit()

  /// Writes the kernel's types beside the sources, once, also as clang has read them, which takes most of the time.
  private static let headers = Result {
    try writeFile("\(directory)/vmlinux.h", try KernelTypesHeader.make())
    try clang(options("bpfel", "-g") + ["-x", "c-header", "\(directory)/vmlinux.h", "-o", "\(directory)/vmlinux.pch"])
  }

  private static func options(_ target: String, _ debug: String) -> [String] {
    [
      "-target", target, debug, "-mcpu=v3", "-O2", "-Wall", "-D__TARGET_ARCH_x86", "-I", directory,
      "-I/usr/include/x86_64-linux-gnu",
    ]
  }

  private static func clang(_ arguments: [String]) throws {
    guard try Subprocess("clang", arguments).wait() == 0 else {
      throw Failure(description: "clang does not compile \(arguments.last ?? "")")
    }
  }

  /// Compiles `NAME.bpf.c` in a directory; the object's path.
  static func compile(
    _ source: String, in place: String? = nil, name: String = "test", prelude: String = prelude,
    target: String = "bpfel", debug: String = "-g"
  ) throws -> String {
    try headers.get()
    let base = "\(place ?? TemporaryDirectory.untilExit())/\(name).bpf"
    try writeFile("\(base).c", Array((prelude + source).utf8))
    // What clang has read holds for the options that it read it with.
    let known = target == "bpfel" && debug == "-g" ? ["-include-pch", "\(directory)/vmlinux.pch"] : []
    try clang(options(target, debug) + known + ["-c", "\(base).c", "-o", "\(base).o"])
    return "\(base).o"
  }
}

/// Runs scripts over one compiled object and a workload of the test's own.
struct ObjectBench {
  let object: String

  /// The workload as it was built.
  static let anyWorkload = MoontraceProcess.workload

  /// What stands before each script, on its first line, so that the lines of the script keep their numbers.
  private static let helpers = """
    local o = bpf.object(arg[1]) local m, g, p, w = o.maps, o.globals, o.programs, arg[2] \
    g.workload = w:match('[^/]+$') \
    local function try(fn, ...) print(select(2, pcall(fn, ...))) end \
    local function show(v) \
    if type(v) ~= 'table' then return tostring(v) end \
    local parts = {} for k, x in pairs(v) do parts[#parts + 1] = k .. '=' .. show(x) end \
    table.sort(parts) return '{' .. table.concat(parts, ' ') .. '}' end \
    local function sum(list) local s = 0 for _, x in ipairs(list) do s = s + x end return s end \
    local function sorted(map) local rows = {} \
    for k, v in pairs(map) do rows[#rows + 1] = show(k) .. ':' .. show(v) end \
    table.sort(rows) return table.concat(rows, ' ') end

    """.split(separator: "\n").joined(separator: " ")

  init(_ source: String) throws {
    object = try BPFSource.compile(source)
  }

  /// A copy of the workload under a name that no other run has, so that runs side by side don't count each other.
  static func copyWorkload() throws -> String {
    let directory = TemporaryDirectory.untilExit()
    let copy = "\(directory)/w-\(directory.suffix(6))"
    guard try Subprocess("/bin/cp", [ObjectBench.anyWorkload, copy]).wait() == 0 else {
      throw BPFSource.Failure(description: "can't copy \(ObjectBench.anyWorkload)")
    }
    return copy
  }

  /// Runs a script that knows `o`, `m` (maps), `g` (globals), `p` (programs) and `w` (the workload's path), with the
  /// workload doing `command` meanwhile.
  func run(
    _ lua: String, command: String? = nil, workload: String? = nil, options: [String] = []
  ) throws -> MoontraceProcess.Finished {
    let workload = try workload ?? Self.copyWorkload()
    let started = command.map { ["-c", "exec \(workload) \($0) >/dev/null"] } ?? []
    // The duration only bounds a run that a fault keeps from ending by itself.
    return try MoontraceProcess(["-d", "60"] + options + started + ["-e", "\(Self.helpers) \(lua)", object, workload])
      .wait()
  }

  /// Runs a script and holds what it prints against `expected`.
  func expect(
    _ lua: String, command: String? = nil, options: [String] = [], prints expected: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let run = try run(lua, command: command, options: options)
    #expect(run.output == expected + "\n", "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.status == 0, "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.errors == "", sourceLocation: sourceLocation)
  }
}
