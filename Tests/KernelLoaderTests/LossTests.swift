import CLibbpf
import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Delivered and lost events are all that were sent.
@Suite(.requires(.root, .clang)) struct LossTests {
  static let head = """
    const volatile u32 thread;
    u64 sent;
    static __always_inline int ours(void) { return (u32)bpf_get_current_pid_tgid() == thread; }
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, u64); __uint(max_entries, 8); } seen SEC(".maps");

    """
  static let section = #"SEC("tp/syscalls/sys_enter_getppid") "#

  private func open(_ name: String, _ source: String) throws -> BPFObject {
    let object = try Workshop.open(name, Self.head + source)
    try object.set("thread", to: thisThread())
    return object
  }

  /// Bytes that the kernel has put into a ring that nobody reads: its producer position (kernel/bpf/ringbuf.c).
  private func produced(_ object: BPFObject) throws -> Int {
    let ring = try #require(object.map("ring"))
    let page = Int(getpagesize())
    let pages = try #require(mmap(nil, page, PROT_READ, MAP_SHARED, ring.descriptor, off_t(page)))
    try #require(pages != MAP_FAILED)
    defer { munmap(pages, page) }
    return Int(pages.load(as: UInt64.self))
  }

  private func run(_ object: BPFObject, _ name: String, calls: Int) throws -> (lost: UInt64, sent: UInt64) {
    let program = try #require(object.program(name))
    let link = try program.attach()
    for _ in 0..<calls { _ = getppid() }
    link.detach()
    return (program.lostEvents, try object.value("sent"))
  }

  @Test func reservations() throws {
    // Several calls, branches around them, a lookup before, a call in a loop: what must stay intact.
    let object = try open(
      "reserve",
      Self.section + """
        int on_call(void *ctx) {
          if (!ours()) return 0;
          u32 key = 3;
          u64 *value = bpf_map_lookup_elem(&seen, &key);
          for (int i = 0; i < 3; i++) {
            u64 *event = bpf_ringbuf_reserve(&ring, 56, 0);
            sent++;
            if (!event) continue;
            *event = value ? *value : i;
            if (i == 1) bpf_ringbuf_discard(event, 0); else bpf_ringbuf_submit(event, 0);
          }
          u64 *last = bpf_ringbuf_reserve(&ring, 56, 0);
          sent++;
          if (last) { *last = 9; bpf_ringbuf_submit(last, 0); }
          return 0;
        }
        """)
    try object.whileLoaded {
      let result = try run(object, "on_call", calls: 500)
      #expect(result.sent == 2000)
      #expect(result.lost + UInt64(try produced(object) / 64) == result.sent)
      #expect(result.lost > 1900)
      #expect(!object.hasUncountedLosses)
    }
  }

  @Test func outputs() throws {
    let object = try open(
      "output",
      Self.section + """
        int on_call(void *ctx) {
          u64 event[2] = { 1, 2 };
          if (!ours()) return 0;
          sent++;
          if (bpf_ringbuf_output(&ring, event, sizeof event, 0)) bpf_map_delete_elem(&seen, event);
          return 0;
        }
        """)
    try object.whileLoaded {
      let result = try run(object, "on_call", calls: 1000)
      #expect(result.sent == 1000)
      #expect(result.lost + UInt64(try produced(object) / 24) == 1000)
    }
  }

  @Test func dynamicPointers() throws {
    let object = try open(
      "dynptr",
      Self.section + """
        int on_call(void *ctx) {
          struct bpf_dynptr event;
          if (!ours()) return 0;
          sent++;
          if (bpf_ringbuf_reserve_dynptr(&ring, 56, 0, &event)) { bpf_ringbuf_discard_dynptr(&event, 0); return 0; }
          bpf_ringbuf_submit_dynptr(&event, 0);
          return 0;
        }
        """)
    try object.whileLoaded {
      let result = try run(object, "on_call", calls: 300)
      #expect(result.sent == 300)
      #expect(result.lost + UInt64(try produced(object) / 64) == 300)
    }
  }

  @Test func perfBuffersThatNobodyOpened() throws {
    let object = try open(
      "perf",
      "struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } perf SEC(\".maps\");\n"
        + Self.section + """
          int on_call(void *ctx) {
            u64 event = 1;
            if (!ours()) return 0;
            sent++;
            bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &event, sizeof event);
            return 0;
          }
          """)
    try object.whileLoaded {
      let result = try run(object, "on_call", calls: 20)
      #expect(result.lost == 20 && result.sent == 20)
    }
  }

  @Test func nothingIsLostWhenThereIsRoom() throws {
    let object = try open(
      "room",
      Self.section + """
        int on_call(void *ctx) {
          if (!ours()) return 0;
          u64 *event = bpf_ringbuf_reserve(&ring, 8, 0);
          if (event) { sent++; *event = 1; bpf_ringbuf_submit(event, 0); }
          return 0;
        }
        """)
    try object.setRingSize(1 << 20)
    try object.whileLoaded {
      let result = try run(object, "on_call", calls: 1000)
      #expect(result.lost == 0 && result.sent == 1000)
      #expect(try produced(object) == 16_000)
    }
  }

  @Test func eachProgramHasItsCounterAndSubprogramsAreTold() throws {
    let object = try open(
      "two",
      """
      static __attribute__((noinline)) int send(u64 value) { sent++; return bpf_ringbuf_output(&ring, &value, 8, 0); }
      \(Self.section) int first(void *ctx) {
        u64 big[32] = {};
        if (!ours()) return 0;
        bpf_ringbuf_output(&ring, big, sizeof big, 0);
        return send(1) + send(2);
      }
      \(Self.section) int second(void *ctx) {
        static char huge[5000];
        if (!ours()) return 0;
        bpf_ringbuf_output(&ring, huge, sizeof huge, 0);
        bpf_ringbuf_output(&ring, huge, sizeof huge, 0);
        return 0;
      }
      """)
    #expect(object.hasUncountedLosses)
    try object.whileLoaded {
      let second = try run(object, "second", calls: 5)
      #expect(second.lost == 10)
      #expect(object.program("first")?.lostEvents == 0)
      let first = try run(object, "first", calls: 100)
      #expect(first.lost > 0)
      #expect(first.sent == 200)
    }
  }
}
