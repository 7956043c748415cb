// Measures one event's way from the ring buffer to a consumer, against libbpf's own consumer with an empty callback.
// Events are 64 bytes with 7 fields. Each round fills the ring in the kernel and drains it with one consumer; rounds of
// all consumers are taken in turn, and medians printed as `name<TAB>ns<TAB>libbpf's ns<TAB>limit` for scripts/bench.

import CEventCore
import CLibbpf
import EventStream
import FileTestSupport
import Glibc
import KernelLoader
import LuaRuntime
import Support

let recordsPerRound = 100_000
let rounds = 31

func now() -> UInt64 { EventLoop.now() }

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// The object whose `fill` program sends one record each time it runs.
func openObject() throws -> BPFObject {
  let source = #"""
    #include <linux/bpf.h>
    #include <bpf/bpf_helpers.h>
    struct event { __u64 time; __u32 pid, tid; __u64 latency; __s32 result; __u32 flags; char comm[32]; };
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 16 << 20); __type(value, struct event); } events SEC(".maps");
    SEC("socket") int fill(void *ctx) {
      struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
      if (!e) return 0;
      *e = (struct event){.time = 1, .pid = 2, .tid = 3, .latency = 4, .result = 5, .comm = "benchmark"};
      bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";
    """#
  let directory = try TemporaryDirectory()
  let input = try directory.write("ring.c", source)
  let arguments = [
    "-target", "bpf", "-g", "-O2", "-I/usr/include/x86_64-linux-gnu", "-c", input, "-o",
    directory.path("ring.o"),
  ]
  guard try Subprocess("clang", arguments).wait() == 0 else { throw MoontraceError(.scriptFailed, "clang failed") }
  return try BPFObject(bytes: try readFile(directory.path("ring.o")), name: "ring.o")
}

/// Runs the program until the ring holds a round's records.
func fill(_ program: Int32) throws {
  var packet = [UInt8](repeating: 0, count: 64)
  var options = bpf_test_run_opts()
  options.sz = MemoryLayout<bpf_test_run_opts>.size
  options.repeat = Int32(recordsPerRound)
  let status = packet.withUnsafeMutableBytes { bytes -> Int32 in
    options.data_in = UnsafeRawPointer(bytes.baseAddress)
    options.data_size_in = UInt32(bytes.count)
    return bpf_prog_test_run_opts(program, &options)
  }
  guard status == 0 else { throw MoontraceError(.unsupported, "BPF_PROG_TEST_RUN: \(errnoText(-status))") }
}

struct Consumer {
  var name: String
  var limit: Double
  var drain: () -> Int
  var nanoseconds: [Double] = []
}

func benchmark() throws {
  let object = try openObject()
  try object.load()
  guard let program = object.program("fill"), let map = object.map("events"), case .record(let layout)? = map.value
  else {
    throw MoontraceError(.scriptFailed, "the object is not as written")
  }
  let plan = DecodePlan(record: layout)
  var ring = try RingBuffer(mapDescriptor: map.descriptor, size: map.maxEntries)
  let theirs = ring_buffer__new(map.descriptor, { _, _, _ in 0 }, nil, nil)
  defer { ring_buffer__free(theirs) }
  var output = mt_output()
  mt_output_open(&output, open("/dev/null", O_WRONLY))
  let runtime = try LuaRuntime(output: &output)
  var handler: LuaFunction?
  runtime.define("keep") { call throws(MoontraceError) in
    handler = try call.function(1)
    return []
  }
  func lua(_ name: String, _ limit: Double, _ body: String) throws -> Consumer {
    let stream = try LuaStream(runtime, plan: plan.plan)
    try runtime.run(library: "local host = ... host.keep(\(body))", name: "=benchmark")
    if let handler { try stream.add(handler) }
    return Consumer(name: name, limit: limit) { Int(stream.drain(ring.sources[0], limit: .max).delivered) }
  }
  var consumers = [
    Consumer(name: "libbpf", limit: 1) { Int(ring_buffer__consume(theirs)) },
    Consumer(name: "ring to an empty C function", limit: 2) {
      Int(ring.sources[0].pointee.drain(ring.sources[0], .max, { _, _, _ in true }, nil))
    },
    try lua("ring to an empty Lua handler", 8, "function(e) end"),
    try lua("ring to Lua, three fields of seven", 12, "function(e) local a, b, c = e.pid, e.latency, e.comm end"),
  ]
  for _ in 0..<rounds {
    for index in consumers.indices {
      try fill(program.descriptor)
      ring = try RingBuffer(mapDescriptor: map.descriptor, size: map.maxEntries)  // begins where the last one ended
      let start = now()
      let count = consumers[index].drain()
      consumers[index].nanoseconds.append(Double(now() - start) / Double(count))
      guard count == recordsPerRound else { throw MoontraceError(.scriptFailed, "drained \(count) records") }
    }
  }
  let base = median(consumers[0].nanoseconds)
  for consumer in consumers.dropFirst() {
    print("\(consumer.name)\t\(median(consumer.nanoseconds))\t\(base)\t\(consumer.limit)")
  }
}

do {
  try benchmark()
} catch {
  try writeAll(STDERR_FILENO, Array("RingBenchmark: \(error)\n".utf8), name: "stderr")
  exit(1)
}
