import BTF
import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// What the kernel refuses, and how the errors put it.
@Suite(.requires(.root, .clang)) struct LoadErrorTests {
  private func loadFailure(_ name: String, _ source: String) throws -> MoontraceError {
    let object = try Workshop.open(name, source)
    defer { object.close() }
    return try failure { try object.load() }
  }

  @Test func verifierRejectionNamesTheLine() throws {
    let source = """
      struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, u64); __uint(max_entries, 8); } seen SEC(".maps");
      SEC("raw_tp/sys_enter") int unchecked(void *ctx) {
        u32 key = 1;
        u64 *value = bpf_map_lookup_elem(&seen, &key);
        return *value;
      }
      """
    let error = try loadFailure("rejected", source)
    let line = Workshop.prelude.split(separator: "\n", omittingEmptySubsequences: false).count - 1 + 5
    #expect(error.code == .scriptFailed)
    #expect(error.location?.hasSuffix("rejected.bpf.c:\(line)") == true, "\(error.location ?? "nil"), line \(line)")
    #expect(error.message.contains("program 'unchecked'"))
    #expect(error.message.contains("invalid mem access 'map_value_or_null'"))
    #expect(error.detail?.contains("processed ") == true)
    #expect(error.message.utf8.count < 200)
  }

  /// Each bit of a random number that is looked at doubles the ways, which never meet, as the sum is an offset.
  @Test(.requires(.nativeSpeed)) func tooManyWays() throws {
    let source = """
      char bytes[1024];
      SEC("raw_tp/sys_enter") int sums(void *ctx) {
        u64 sum = 0, bits = bpf_get_prandom_u32();
        #pragma unroll
        for (int i = 0; i < 30; i++) if (bits & 1ull << i) sum = sum * 5 + i;
        return bytes[sum & 1023];
      }
      """
    let error = try loadFailure("ways", source)
    #expect(error.code == .scriptFailed && error.remedy == "split it: bpf_loop for loops, tail calls")
    #expect(error.message.contains("program 'sums': there are too many ways through it for the verifier: "))
  }

  @Test func rejectionBehindAnInstrumentedCall() throws {
    let source = """
      struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
      SEC("raw_tp/sys_enter") int leaks(void *ctx) {
        u64 *event = bpf_ringbuf_reserve(&events, 8, 0);
        if (event) *event = 1;
        return 0;
      }
      """
    let error = try loadFailure("leak", source)
    #expect(error.message.contains("program 'leaks'"))
    #expect(error.message.lowercased().contains("reference"))
  }

  @Test func refusedMaps() throws {
    func mapSource(_ fields: String) -> String {
      "struct { \(fields) } odd SEC(\".maps\");\nSEC(\"raw_tp/sys_enter\") int p(void *c) { u32 k = 0; return !bpf_map_lookup_elem(&odd, &k); }"
    }
    let cases = [
      (
        "__uint(type, BPF_MAP_TYPE_ARRAY); __uint(key_size, 8); __uint(value_size, 4); __uint(max_entries, 1);",
        "key is 4 bytes"
      ),
      ("__uint(type, BPF_MAP_TYPE_ARRAY); __uint(key_size, 4); __uint(value_size, 4);", "max_entries is 0"),
      ("__uint(type, BPF_MAP_TYPE_HASH); __uint(value_size, 4); __uint(max_entries, 1);", "key has no size"),
      ("__uint(type, BPF_MAP_TYPE_HASH); __uint(key_size, 4); __uint(max_entries, 1);", "value has no size"),
      (
        "__uint(type, BPF_MAP_TYPE_LPM_TRIE); __uint(key_size, 8); __uint(value_size, 4); __uint(max_entries, 1);",
        "BPF_F_NO_PREALLOC"
      ),
    ]
    for (index, (fields, expected)) in cases.enumerated() {
      let error = try loadFailure("map\(index)", mapSource(fields))
      #expect(error.message.contains("map 'odd'"))
      #expect(error.message.contains(expected), "\(error.message)")
    }
    let unknown = try loadFailure(
      "map_unknown", mapSource("__uint(type, 200); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 1);")
    )
    #expect(unknown.code == .unsupported)
    #expect(unknown.message.contains("does not know map type 200"))
  }

  @Test func helpersThatTheKernelLacks() throws {
    let source = """
      static long (*new_helper)(void) = (void *)9999;
      SEC("raw_tp/sys_enter") int modern(void *ctx) { return new_helper(); }
      """
    let error = try loadFailure("helper", source)
    #expect(error.code == .unsupported)
    #expect(error.message.contains("no helper"))
    #expect(error.message.contains("9999"))
    #expect(error.location?.contains("helper.bpf.c:") == true)
  }

  @Test func fieldsThatTheKernelLacks() throws {
    let source = """
      struct task_struct { int no_such_field_here; } __attribute__((preserve_access_index));
      SEC("tp_btf/sched_switch") int field(u64 *ctx) {
        struct task_struct *task = (void *)ctx[1];
        return task->no_such_field_here;
      }
      """
    let error = try loadFailure("core", source)
    #expect(error.code == .unsupported)
    #expect(error.message.contains("program 'field'"))
    #expect(error.message.contains("no_such_field_here"), "\(error.message)")
  }

  @Test func targetsThatTheKernelLacks() throws {
    let error = try loadFailure("target", #"SEC("tp_btf/sched_swich") int typed(void *ctx) { return 0; }"#)
    #expect(error.code == .unsupported)
    #expect(error.message.contains("program 'typed'"))
    #expect(error.message.contains("did you mean 'sched_switch'?"))
    let bare = try loadFailure("bare_target", #"SEC("fentry") int bare(void *ctx) { return 0; }"#)
    #expect(bare.code == .usage)
    #expect(bare.message.contains("section 'fentry' does not say what to attach it to"))
  }

  @Test func externsThatTheKernelLacks() throws {
    let source = """
      extern int no_such_kernel_variable __ksym;
      SEC("raw_tp/sys_enter") int uses(void *ctx) { return (long)&no_such_kernel_variable; }
      """
    let error = try loadFailure("extern", source)
    #expect(error.code == .unsupported)
    #expect(error.message.contains("'no_such_kernel_variable'"))
  }
}
