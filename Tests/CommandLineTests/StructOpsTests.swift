import FileTestSupport
import Glibc
import KernelTestSupport
import Support
import Testing

/// Tables of functions (struct_ops): a congestion control of TCP, which the kernel has while the program runs.
@Suite(.requires(.root, .clang, .typeInformation))
struct StructOpsTests {
  /// - Parameter more: an entry that the table has beside the others.
  private func source(_ name: String, more: String = ".ssthresh = (void *)threshold,", map: String = "") -> String {
    """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_tracing.h>
    char LICENSE[] SEC("license") = "GPL";
    struct {
      __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, u64);
    } runs SEC(".maps");
    SEC("struct_ops/start") void BPF_PROG(start, struct sock *sk) {
      u32 key = 0;
      u64 *count = bpf_map_lookup_elem(&runs, &key);
      if (count) __sync_fetch_and_add(count, 1);
    }
    SEC("struct_ops/threshold") u32 BPF_PROG(threshold, struct sock *sk) { return 2; }
    SEC("struct_ops/avoid") void BPF_PROG(avoid, struct sock *sk, u32 ack, u32 acked) {}
    SEC("struct_ops/undo") u32 BPF_PROG(undo, struct sock *sk) { return 10; }
    SEC(".struct_ops\(map)") struct tcp_congestion_ops quiet = {
      .init = (void *)start, \(more) .cong_avoid = (void *)avoid, .undo_cwnd = (void *)undo, .name = "\(name)",
    };
    """
  }

  private static let list = "/proc/sys/net/ipv4/tcp_available_congestion_control"

  private func isThere(_ name: String) throws -> Bool {
    String(decoding: try readFile(Self.list), as: UTF8.self).split(whereSeparator: \.isWhitespace).contains {
      $0 == name
    }
  }

  private func run(_ source: String, _ options: String...) throws -> MoontraceProcess.Finished {
    let files = try TemporaryDirectory()
    let path = try files.write("table.bpf.c", source)
    return try MoontraceProcess(["run", "-d", "60", "-f", "json", "--allow", "kernel.write"] + options + [path]).wait()
  }

  /// In the list while it runs, called for a connection that asks for it, and gone at the end.
  @Test(arguments: ["", ".link"]) func isThereWhileItRuns(map: String) throws {
    let name = "mt_\(getpid() % 100_000)\(map.dropFirst())"
    let load = try HeldWorkload("tcp", "4", name)
    let files = try TemporaryDirectory()
    let path = try files.write("table.bpf.c", source(name, map: map))
    let process = try MoontraceProcess(["run", "-f", "json", "--allow", "kernel.write", "--sample", "runs", path])
    try process.waitForAttached()
    #expect(try isThere(name))
    try load.run()
    let run = try process.interrupt()
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let count = try JSON(try #require(run.lines.last))["data"]?.list?.first?["value"]?.integer
    #expect(count == 1)
    #expect(try !isThere(name))
  }

  @Test func fromLua() throws {
    let name = "mt_\(getpid() % 100_000)_lua"
    let files = try TemporaryDirectory()
    let path = try files.write("table.bpf.c", source(name))
    let run = try MoontraceProcess([
      "run", "-d", "60", "--allow", "kernel.write", "-c", "grep -o \(name) \(Self.list)", "-e",
      "bpf.object('\(path)'):attach()",
    ]).wait()
    #expect(run.status == 0 && run.output == name + "\n", "\(run.errors)")
    #expect(try !isThere(name))
  }

  @Test(.requires(.structOpsLinks)) func endsWithTheProcess() throws {
    let name = "mt_\(getpid() % 100_000)_killed"
    let files = try TemporaryDirectory()
    let path = try files.write("table.bpf.c", source(name))
    let process = try MoontraceProcess(["run", "--allow", "kernel.write", "-c", "echo started; sleep 60", path])
    try process.waitForAttached()
    #expect(try isThere(name))
    kill(process.pid, SIGKILL)
    _ = try process.wait()
    var isGone = false
    for _ in 0..<6000 where !isGone {
      isGone = try !isThere(name)
      usleep(10_000)
    }
    #expect(isGone)
  }

  @Test func saysWhyNot() throws {
    let taken = try run(source("cubic"))
    #expect(taken.status == 4 && taken.errors.contains("struct_ops map 'quiet': the kernel has another of that name"))
    let unused = try run(source("mt_unused", more: ""))
    #expect(unused.status == 1)
    #expect(
      unused.errors.contains("program 'threshold': no struct_ops map has it among its functions"), "\(unused.errors)")
    let unknown = try run(
      """
      #include "vmlinux.h"
      #include <bpf/bpf_helpers.h>
      #include <bpf/bpf_tracing.h>
      char LICENSE[] SEC("license") = "GPL";
      struct no_such_ops { int (*test)(int); };
      SEC("struct_ops/test") int BPF_PROG(test, int number) { return number; }
      SEC(".struct_ops") struct no_such_ops table = { .test = (void *)test };
      """)
    let remedy = "struct no_such_ops is not found in kernel BTF (run it on a kernel that has this struct_ops type)"
    #expect(unknown.status == 4 && unknown.errors.contains(remedy), "\(unknown.errors)")
    let placed = try run(source("mt_placed"), "--attach", "start=tc:lo:ingress")
    #expect(placed.status == 2 && placed.errors.contains("program 'start' is called by a struct_ops map"))
  }
}
