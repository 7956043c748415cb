import Glibc
import KernelTestSupport
import Support
import Testing

/// bpf.compile: C inside scripts, its cache, and where its mistakes are said to be.
@Suite(.requires(.root, .clang))
struct CompileTests {
  private static let plain = "SEC(\"raw_tp/sys_enter\") int nothing(void *ctx) { return 0; }"

  private func compile(_ c: String, _ rest: String = "") -> String {
    "local o = bpf.compile [[\n#include \"vmlinux.h\"\n#include <bpf/bpf_helpers.h>\n\(c)\n]]\n\(rest)"
  }

  /// It works without, and says why that takes as long each time.
  @Test func aCacheThatOthersMayWriteIsNotUsed() throws {
    let directory = try TemporaryDirectory()
    mkdir(directory.path("moontrace"), 0o755)
    chown(directory.path("moontrace"), 65534, 65534)
    let script = compile(Self.plain, "o:load() print('loaded')")
    let run = try moontrace("-e", script, environment: ["XDG_CACHE_HOME=\(directory.name)"])
    #expect(run.status == 0 && run.output == "loaded\n", "\(run.errors)")
    #expect(
      run.errors.contains(
        "\(directory.path("moontrace")) can be written by others than you; what is compiled is not kept"))
    #expect(directoryEntries(directory.path("moontrace")) == [])
  }

  @Test func objectsAreKeptByContent() throws {
    let cache = try TemporaryDirectory()
    let home = "XDG_CACHE_HOME=\(cache.name)"
    let script = compile(Self.plain, "o:attach() print('attached')")
    let cold = try moontrace("-e", script, environment: [home, "MOONTRACE_CLANG=/bin/false"])
    #expect(cold.status == 4)
    #expect(
      cold.errors
        == "(command line):1: MOONTRACE_CLANG=/bin/false is no clang with the bpf target (name one that has it)\n")
    let none = try moontrace("-e", script, environment: [home, "PATH=/nonexistent"])
    #expect(none.status == 4)
    #expect(none.errors.contains("compiling C needs clang") && none.errors.contains("apt install clang"))
    #expect(try moontrace("-d", "0.01", "-e", script, environment: [home]).output == "attached\n")
    let warm = try moontrace("-d", "0.01", "-e", script, environment: [home, "MOONTRACE_CLANG=/bin/false"])
    #expect(warm.output == "attached\n", "\(warm.errors)")
    let changed = compile(Self.plain + " int more;", "o:attach()")
    #expect(try moontrace("-e", changed, environment: [home, "MOONTRACE_CLANG=/bin/false"]).status == 4)
  }

  @Test func mistakesInCAreLocatedInTheScript() throws {
    let directory = try TemporaryDirectory()
    let script = try directory.write("broken.lua", "\n\n" + compile("int x = ;\nint y = ;"))
    let run = try moontrace(script)
    #expect(run.status == 1)
    #expect(run.errors == "broken.lua:6: C error: expected expression\n")
    let whole = try moontrace("-v", script)
    #expect(whole.errors.contains("broken.lua:7:"), "\(whole.errors)")
    let header = try moontrace("-e", "local o = bpf.compile '#include <no/such.h>'")
    #expect(header.errors == "(command line):1: C error: 'no/such.h' file not found\n")
  }

  @Test func rejectionsNameTheLineInTheScript() throws {
    let directory = try TemporaryDirectory()
    let c = """
      struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, u64); __uint(max_entries, 8); } seen SEC(".maps");
      SEC("raw_tp/sys_enter") int unchecked(void *ctx) {
        u32 key = 1;
        u64 *value = bpf_map_lookup_elem(&seen, &key);
        return *value;
      }
      """
    let script = try directory.write("rejected.lua", compile(c, "o:attach()"))
    let run = try moontrace(script)
    #expect(run.status == 1)
    #expect(
      run.errors == "rejected.lua:8: program 'unchecked': the verifier rejects it: "
        + "R0 invalid mem access 'map_value_or_null'\n")
    let verbose = try moontrace("-v", script)
    #expect(verbose.errors.contains("call bpf_map_lookup_elem") && verbose.errors.contains("processed "))
  }

  @Test func usdtProgramsCompile() throws {
    let c = """
      #include <bpf/bpf_tracing.h>
      #include <bpf/usdt.bpf.h>
      SEC("usdt") int BPF_USDT(on_probe, long first) { return first == 3; }
      char LICENSE[] SEC("license") = "GPL";
      """
    let run = try moontrace("-e", compile(c, "o:load() print('loaded')"))
    #expect(run.output == "loaded\n", "\(run.errors)")
  }
}
