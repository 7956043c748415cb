import BTF
import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Maps of every kind: what they are, how they are sized, and the operations on them.
@Suite(.requires(.root, .clang)) struct MapTests {
  static let source = """
    #define MAP(NAME, TYPE, K, V, N) struct { __uint(type, BPF_MAP_TYPE_##TYPE); __type(key, K); __type(value, V); __uint(max_entries, N); } NAME SEC(".maps")
    struct event { u32 pid; char comm[16]; };
    struct route { u32 prefix; u32 address; };
    MAP(hash, HASH, u32, struct event, 16);
    MAP(lru, LRU_HASH, u32, u64, 16);
    MAP(array, ARRAY, u32, u64, 4);
    MAP(cpu_hash, PERCPU_HASH, u32, u64, 16);
    MAP(cpu_array, PERCPU_ARRAY, u32, u32, 2);
    struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __type(key, struct route); __type(value, u32); __uint(max_entries, 8); __uint(map_flags, BPF_F_NO_PREALLOC); } trie SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_QUEUE); __type(value, u32); __uint(max_entries, 8); } queue SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_STACK); __type(value, u32); __uint(max_entries, 8); } stack SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __uint(key_size, 4); __uint(value_size, 1016); __uint(max_entries, 8); } traces SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } ring SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 5000); } odd_ring SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __type(key, u32); __type(value, struct event); } perf SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 2); } tails SEC(".maps");
    struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, u32); __type(value, u64); __uint(max_entries, 3); } inner_map SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 2); __type(key, u32); __array(values, struct inner); }
      outer SEC(".maps") = { .values = { [1] = &inner_map } };
    struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, u32); __uint(max_entries, 1); __uint(pinning, LIBBPF_PIN_BY_NAME); } pinned SEC(".maps");
    SEC("raw_tp/sys_enter") int nothing(void *ctx) { return 0; }
    """

  @Test func shapes() throws {
    let object = try Workshop.open("shapes", Self.source)
    let expected: [String: MapShape] = [
      "hash": .hash, "lru": .hash, "array": .array, "cpu_hash": .hash, "cpu_array": .array, "trie": .lpmTrie,
      "queue": .queue, "stack": .queue, "traces": .stackTrace, "ring": .ringBuffer, "odd_ring": .ringBuffer,
      "perf": .perfEventArray, "tails": .opaque, "inner_map": .array, "outer": .mapOfMaps, "pinned": .hash,
    ]
    #expect(Dictionary(uniqueKeysWithValues: object.maps.map { ($0.name, $0.shape) }) == expected)
    #expect(object.maps.filter(\.isPerCPU).map(\.name).sorted() == ["cpu_array", "cpu_hash"])
    for name in ["hash", "ring", "perf"] {
      guard case .record(let record)? = object.map(name)?.value else {
        Issue.record("no record in '\(name)'")
        continue
      }
      #expect(record.name == "event" && record.members.map(\.name) == ["pid", "comm"])
    }
    #expect(object.map("hash")?.key == .integer(size: 4, signed: false))
    #expect(object.map("traces")?.value == nil)
    #expect(object.map("hash")?.descriptor == -1)
    object.close()
  }

  @Test func sizes() throws {
    let object = try Workshop.open("sizes", Self.source)
    try #require(object.map("hash")).setMaxEntries(99)
    #expect(try failure { try object.map("hash")?.setMaxEntries(0) }.code == .usage)
    try object.whileLoaded {
      #expect(object.map("hash")?.maxEntries == 99)
      #expect(object.map("ring")?.maxEntries == RingSize.standard)
      #expect(object.map("odd_ring")?.maxEntries == 8192)
      #expect(object.map("perf")?.maxEntries == MapOperations.possibleCPUs)
      let late = try failure { try object.map("hash")?.setMaxEntries(1) }
      #expect(late.code == .usage)
      #expect(access("/sys/fs/bpf/pinned", F_OK) != 0)
    }
    let sized = try Workshop.open("sized", Self.source)
    try sized.setRingSize(100_000)
    try sized.whileLoaded {
      #expect(sized.map("ring")?.maxEntries == 131_072 && sized.map("odd_ring")?.maxEntries == 131_072)
    }
  }

  @Test func operations() throws {
    let object = try Workshop.open("operations", Self.source)
    try object.whileLoaded {
      let lru = try #require(object.map("lru")).descriptor
      for key in UInt32(1)...5 {
        var (key, value) = (key, UInt64(key) * 10)
        #expect(MapOperations.update(lru, &key, &value) == 0)
      }
      var (key, next, value) = (UInt32(3), UInt32(0), UInt64(0))
      #expect(MapOperations.lookup(lru, &key, &value) == 0 && value == 30)
      #expect(MapOperations.take(lru, &key, &value) == 0 && value == 30)
      #expect(MapOperations.lookup(lru, &key, &value) == -ENOENT)
      #expect(MapOperations.nextKey(lru, nil, &next) == 0)
      #expect(MapOperations.remove(lru, &next) == 0)
      var (keys, values) = ([UInt32](repeating: 0, count: 8), [UInt64](repeating: 0, count: 8))
      var (cursor, count) = (UInt32(0), UInt32(8))
      #expect(MapOperations.batch(lru, true, nil, &cursor, &keys, &values, &count) == -ENOENT)
      #expect(count == 3)
      #expect(MapOperations.nextKey(lru, nil, &next) == -ENOENT)
      let queue = try #require(object.map("queue")).descriptor
      var (pushed, popped) = (UInt32(8), UInt32(0))
      #expect(MapOperations.update(queue, nil, &pushed) == 0)
      #expect(MapOperations.take(queue, nil, &popped) == 0 && popped == 8)
    }
  }

  @Test func innerMaps() throws {
    let object = try Workshop.open("inner", Self.source)
    try object.whileLoaded {
      var (key, id) = (UInt32(1), UInt32(0))
      let outer = try #require(object.map("outer")).descriptor
      #expect(MapOperations.lookup(outer, &key, &id) == 0)
      let inner = try OpenMap(id: id)
      #expect(inner.maxEntries == 3 && inner.valueSize == 8 && inner.type == .array)
      #expect(inner.name == "inner_map")
      var value = UInt64(77)
      #expect(MapOperations.update(inner.descriptor.number, &key, &value) == 0)
    }
    #expect(try failure { _ = try OpenMap(id: UInt32.max - 1) }.message.contains("no longer exists"))
  }
}
