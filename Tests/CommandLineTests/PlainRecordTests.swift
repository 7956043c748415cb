import FileTestSupport
import KernelTestSupport
import Support
import Testing

/// Records that are no struct: one column, `value`.
@Suite(.requires(.root, .clang, .typeInformation, .ringBuffers)) struct PlainRecordTests {
  private static let source = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    enum kind { SMALL, LARGE = 7 };
    typedef u32 number_t;
    union either { u32 number; u8 bytes[4]; };
    struct item { u32 a; u16 b, c; };
    #define RING(NAME) struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } NAME SEC(".maps")
    RING(longs); RING(kinds); RING(arrays); RING(numbers); RING(eithers); RING(texts); RING(items); RING(bytes);
    RING(tables);
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); __type(value, u16); } declared SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __type(key, u32); __type(value, u32); } perf SEC(".maps");
    const volatile u32 caller = 0;
    static __always_inline int filled(void *map, void *data, u64 size) { return bpf_ringbuf_output(map, data, size, 0); }
    SEC("tracepoint/syscalls/sys_enter_getppid") int on_call(void *ctx) {
      if (bpf_get_current_pid_tgid() >> 32 != caller) return 0;
      u64 *reserved = bpf_ringbuf_reserve(&longs, sizeof(*reserved), 0);
      if (reserved) { *reserved = 5; bpf_ringbuf_submit(reserved, 0); }
      enum kind kind = LARGE;
      bpf_ringbuf_output(&kinds, &kind, sizeof(kind), 0);
      u64 pair[2] = {1, 2};
      bpf_ringbuf_output(&arrays, pair, sizeof(pair), 0);
      number_t number = 3;
      filled(&numbers, &number, sizeof number);
      union either either = {4};
      bpf_ringbuf_output(&eithers, &either, sizeof either, 0);
      char text[16] = "hello";
      bpf_ringbuf_output(&texts, text, sizeof text, 0);
      bpf_ringbuf_output(&bytes, text, 3, 0);
      struct item list[2] = {{1, 2, 3}, {4, 5, 6}};
      bpf_ringbuf_output(&items, list, sizeof(list), 0);
      short table[2][3] = {{1, 2, 3}, {4, 5, -6}};
      bpf_ringbuf_output(&tables, table, sizeof(table), 0);
      u16 half = 6;
      bpf_ringbuf_output(&declared, &half, 2, 0);
      s64 minus = -8;
      bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &minus, sizeof(s64));
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";
    """

  private static let expected: Set = [
    #"{"map":"longs","value":5}"#, #"{"map":"kinds","value":"LARGE"}"#, #"{"map":"arrays","value":[1,2]}"#,
    #"{"map":"numbers","value":3}"#, #"{"map":"eithers","number":4,"bytes":[4,0,0,0]}"#,
    #"{"map":"texts","value":"hello"}"#, #"{"map":"items","value":[{"a":1,"b":2,"c":3},{"a":4,"b":5,"c":6}]}"#,
    #"{"map":"tables","value":[[1,2,3],[4,5,-6]]}"#, #"{"map":"declared","value":6}"#, #"{"map":"perf","value":-8}"#,
    #"{"map":"bytes","bytes":"68656c"}"#,
  ]

  let directory: TemporaryDirectory
  let program: String

  init() throws {
    directory = try TemporaryDirectory()
    program = try directory.write("plain.bpf.c", Self.source)
  }

  private func build() throws -> String {
    let run = try moontrace("build", program, "-o", directory.path("out/"))
    #expect(run.status == 0, "\(run.errors)")
    // Three bytes of sixteen are of no type.
    let warning = "warning: the type of the events in 'bytes' is not found"
    #expect(run.errors.split(separator: "\n").count == 1 && run.errors.contains(warning), "\(run.errors)")
    return directory.path("out/package.json")
  }

  /// What a call gives.
  private func lines(_ target: String, _ options: String...) throws -> [String] {
    let load = try HeldWorkload("getppid", "1")
    let process = try MoontraceProcess(["run", "-f", "json"] + options + [target, "--caller", "\(load.pid)"])
    try process.waitForAttached()
    try load.run()
    let run = try process.interrupt()
    #expect(run.status == 0, "\(run.errors)")
    return run.lines
  }

  @Test func eachHasItsType() throws {
    let lines = try lines(try build())
    #expect(Set(lines) == Self.expected, "\(lines)")
  }

  /// An object alone knows what its maps declare, and what the command line says.
  @Test func withoutAPackage() throws {
    _ = try build()
    let object = directory.path("plain.bpf.o")
    try writeFile(object, try readFile(directory.path("out/plain.bpf.o")))
    let lines = try lines(object, "--event", "longs=u64", "--event", "kinds=enum kind", "--event", "perf=long long")
    for line in [
      #"{"map":"declared","value":6}"#, #"{"map":"longs","value":5}"#, #"{"map":"kinds","value":"LARGE"}"#,
      #"{"map":"perf","value":-8}"#,
    ] { #expect(lines.contains(line), "\(lines)") }
  }

  @Test func theyAreInspected() throws {
    let run = try moontrace("inspect", try build())
    #expect(run.status == 0, "\(run.errors)")
    for text in [
      "  kinds: 4 bytes\n", "         0     4  value  enum kind\n", "  value  u64[2]\n",
      "  value  unsigned short\n",
    ] { #expect(run.output.contains(text), "\(run.output)") }
  }

  @Test func namedAtTheBuild() throws {
    let run = try moontrace("build", program, "--event", "bytes=u8[3]", "-o", directory.path("out/"))
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(try lines(directory.path("out/package.json")).contains(#"{"map":"bytes","value":[104,101,108]}"#))
  }

  /// In a script they have a member `value`.
  @Test func inAScript() throws {
    let package = try build()
    let load = try HeldWorkload("getppid", "1")
    let script = """
      local o = bpf.object("\(package)", { caller = \(load.pid) })
      o.maps.arrays:each(function(e) print(e.value[1], e.value[2]) end)
      o.maps.texts:each(function(e) print(e.value) end)
      o:attach "on_call"
      """
    let process = try MoontraceProcess(["-e", script])
    try process.waitForAttached()
    try load.run()
    let run = try process.interrupt()
    #expect(run.lines.contains("1\t2") && run.lines.contains("hello"), "\(run.output) \(run.errors)")
  }
}
