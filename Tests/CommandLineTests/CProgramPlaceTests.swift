import FileTestSupport
import Glibc
import KernelTestSupport
import Support
import Testing

/// Programs in C at places that their sections don't name: annotated ones, and those that `--attach` gives. Each counts what
/// the test's own traffic makes it see, in a network namespace or a cgroup of the test's own.
@Suite(.requires(.root, .clang))
struct CProgramPlaceTests {
  /// All optional, so that each test takes its own; `runs` has a count for each.
  static let source = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    char LICENSE[] SEC("license") = "GPL";
    struct {
      __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, u64);
    } runs SEC(".maps");
    struct {
      __uint(type, BPF_MAP_TYPE_SOCKHASH); __uint(max_entries, 16); __type(key, u64); __type(value, u32);
    } peers SEC(".maps");
    static __always_inline int hit(int result) {
      u32 key = 0;
      u64 *count = bpf_map_lookup_elem(&runs, &key);
      if (count) __sync_fetch_and_add(count, 1);
      return result;
    }
    /// @ifindex 1
    /// @flags 2
    SEC("?xdp") int frame(void *ctx) { return hit(XDP_PASS); }
    /// @tchook {"ifindex": 1, "attach_point": "BPF_TC_EGRESS"}
    /// @tcopts {"handle": 7, "priority": 3}
    SEC("?tc") int numbered(void *ctx) { return hit(-1); }
    /// @attach_to tcx:lo:ingress
    SEC("?tcx/ingress") int linked(void *ctx) { return hit(-1); }
    /// @tchook {"ifindex": 1}
    SEC("?tcx/egress") int sent(struct __sk_buff *skb) { return hit(-1); }
    /// @attach_to ["netfilter:ipv4:local_in", "netfilter:ipv4:local_out:-100"]
    SEC("?netfilter") int filtered(void *ctx) { return hit(1); }
    /// @attach_to netfilter:ipv4:local_in
    SEC("?netfilter") int dropping(void *ctx) { return hit(0); }
    /// @attach_to netns
    SEC("?sk_lookup") int looked(void *ctx) { return hit(1); }
    /// @attach_to socket:lo
    SEC("?socket") int copied(void *ctx) { return hit(0); }
    /// @attach_to cgroup
    SEC("?cgroup_skb/egress") int everyone(void *ctx) { return hit(1); }
    SEC("?cgroup_skb/egress") int leaving(void *ctx) { return hit(1); }
    SEC("?cgroup/sock_create") int made(void *ctx) { return hit(1); }
    SEC("?cgroup/connect4") int connected(void *ctx) { return hit(1); }
    SEC("?cgroup/sysctl") int setting(void *ctx) { return hit(1); }
    SEC("?cgroup/dev") int device(void *ctx) { return hit(1); }
    SEC("?cgroup/setsockopt") int option(struct bpf_sockopt *ctx) { ctx->optlen = -1; return hit(1); }
    SEC("?sockops") int peer(struct bpf_sock_ops *ctx) {
      u64 key = ctx->local_port | (u64)ctx->remote_port << 32;
      if (ctx->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB) bpf_sock_hash_update(ctx, &peers, &key, BPF_ANY);
      return 1;
    }
    SEC("?uprobe.multi/libc:execv*") int many(void *ctx) { return hit(0); }
    SEC("?uprobe.multi.s/libc:execv*") int sleepy(struct pt_regs *ctx) {
      char byte;
      bpf_copy_from_user(&byte, 1, (void *)ctx->sp);
      return hit(0);
    }
    SEC("?sockops") int call(void *ctx) { return hit(1); }
    /// @attach_to sockmap:peers
    SEC("?sk_msg") int message(void *ctx) { return hit(SK_PASS); }
    /// @attach_to perf_event:cpu-cycles:199hz
    SEC("?perf_event") int cycles(void *ctx) { return hit(0); }
    /// @attach_to perf_event:cache-misses
    SEC("?perf_event") int misses(void *ctx) { return hit(0); }
    SEC("?perf_event") int seconds(void *ctx) { return hit(0); }
    /// @attach_to ["uprobe:libc:getppid", "uprobe:libc:getpgrp"]
    SEC("?uprobe") int parent(void *ctx) { return hit(0); }
    SEC("?xdp/devmap") int redirected(void *ctx) { return XDP_PASS; }
    """

  private static let package = Result<String, any Error> {
    let directory = TemporaryDirectory.untilExit()
    try writeFile("\(directory)/places.bpf.c", Array(source.utf8))
    let run = try moontrace("build", "\(directory)/places.bpf.c")
    try #require(run.status == 0 && run.errors == "", "\(run.errors)")
    return "\(directory)/package.json"
  }

  private func count(_ run: MoontraceProcess.Finished) throws -> Int64 {
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let rows = try run.lines.map { try JSON($0) }.flatMap { $0["data"]?.list ?? [] }
    return rows.first?["value"]?.integer ?? 0
  }

  /// Runs one of the programs while a script in bash does what it is to see; in a network of its own, where nothing may be
  /// left on its only interface.
  private func run(
    _ attach: String..., during script: String, options: String = ""
  ) throws -> MoontraceProcess.Finished {
    let files = try TemporaryDirectory()
    let traffic = try files.write("traffic", script + "\ntrue\n")
    let places = attach.map { "--attach \($0)" }.joined(separator: " ")
    let check = try files.write(
      "check",
      """
      ip link set lo up
      "$@"
      status=$?
      ! ip link show lo | grep -q xdp || echo 'an xdp program is left' >&2
      ! tc filter show dev lo egress 2>/dev/null | grep -q . || echo 'a filter is left' >&2
      exit $status
      """)
    let common = "-f json -d 60 --allow kernel.write --sample runs"
    return try runShell(
      "unshare --net bash \(check) $0 run \(common) \(places) \(options) -c 'bash \(traffic)' \(Self.package.get())")
  }

  /// A datagram for each of two ports, which nobody waits for: ICMP answers.
  private static let datagrams = "for port in 9 10; do echo hello >/dev/udp/127.0.0.1/$port; done 2>/dev/null"

  // MARK: Networks

  @Test(arguments: [
    ("frame", 4), ("numbered", 4), ("copied", 8), ("looked", 2), ("sent=tc:lo:egress", 4), ("sent", 4),
    ("frame=xdp:lo", 4),
  ])
  func onInterfacesAndNamespaces(attach: String, packets: Int64) throws {
    #expect(try count(run(attach, during: Self.datagrams)) == packets)
  }

  @Test(.requires(.tcx)) func onLinksOfTrafficControl() throws {
    #expect(try count(run("linked", during: Self.datagrams)) == 4)
  }

  /// While it runs, tc shows the numbers that the package gives.
  @Test func withThePackagesNumbers() throws {
    let seen = "tc filter show dev lo egress | grep -q 'pref 3 .* handle 0x7 ' && \(Self.datagrams)"
    #expect(try count(run("numbered", during: seen)) == 4)
  }

  /// The datagrams arrive and leave, and so do the answers.
  @Test(.requires(.netfilter)) func inNetfilter() throws {
    #expect(try count(run("filtered", during: Self.datagrams)) == 8)
    // What is dropped is not answered.
    #expect(try count(run("dropping", during: Self.datagrams)) == 2)
    #expect(try count(run("filtered=netfilter:ipv4:post_routing", during: Self.datagrams)) == 4)
  }

  @Test(.requires(absent: .netfilter)) func withoutNetfilter() throws {
    let failed = try run("filtered", during: "true")
    #expect(failed.status == 4 && failed.errors.contains("program 'filtered': this kernel has no netfilter programs"))
  }

  // MARK: Cgroups

  private func inGroup(_ body: (String) throws -> Void) throws {
    let mounts = String(decoding: try readFile("/proc/mounts"), as: UTF8.self).split(separator: "\n")
    let hierarchy = try #require(
      mounts.map { $0.split(separator: " ") }.first { $0.count > 2 && $0[2] == "cgroup2" }?[1], "no cgroup2 is mounted")
    let group = "\(hierarchy)/moontrace-places-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try #require(mkdir(group, 0o755) == 0)
    defer { rmdir(group) }
    try body(group)
  }

  @Test(arguments: [
    ("leaving", datagrams, 2), ("made", datagrams, 2), ("connected", datagrams, 2),
    ("setting", "read line </proc/sys/kernel/hostname", 1), ("device", ": </dev/null", 1),
    ("call", "(: <>/dev/tcp/127.0.0.1/9) 2>/dev/null", 1),
  ])
  func onCgroups(program: String, script: String, least: Int64) throws {
    try inGroup { group in
      let enter = "echo $$ >\(group)/cgroup.procs"
      let seen = try count(run("\(program)=cgroup:\(group)", during: "\(enter)\n\(script)"))
      #expect(seen >= least)
    }
  }

  /// The root of the hierarchy holds every process, also those of other tests.
  @Test func onTheRootOfAllCgroups() throws {
    #expect(try count(run("everyone", during: Self.datagrams)) >= 2)
  }

  /// One program puts the sockets of a connection into a map, another sees what is sent by them.
  @Test func onTheSocketsOfAMap() throws {
    try inGroup { group in
      let load = try HeldWorkload("tcp", "4")
      try #require(system("echo \(load.pid) >\(group)/cgroup.procs") == 0)
      let process = try MoontraceProcess([
        "run", "-f", "json", "--allow", "kernel.write", "--sample", "runs", "--attach", "peer=cgroup:\(group)",
        "--attach",
        "message", try Self.package.get(),
      ])
      try process.waitForAttached()
      try load.run()
      #expect(try count(process.interrupt()) >= 1)
      kill(load.pid, SIGKILL)
      #expect(waitpid(load.pid, nil, 0) == load.pid)
    }
  }

  // MARK: Events and functions

  @Test(.requires(absent: .hardwareCounters)) func theClockInPlaceOfCycles() throws {
    let run = try run("cycles", during: "for ((i = 0; i < 100000; i++)); do :; done")
    #expect(run.status == 0)
    #expect(
      run.errors.contains(
        "program 'cycles': perf_event:cpu-clock:199hz is used in place of perf_event:cpu-cycles:199hz: the CPU"))
    #expect(try JSON(try #require(run.lines.first))["data"]?.list?.first?["value"]?.integer ?? 0 > 1)
    // What is no measure of time has no such substitute.
    let misses = try self.run("misses", during: "true")
    #expect(misses.status == 4 && misses.errors.contains("program 'misses': this kernel has no hardware counters"))
  }

  @Test(.requires(.hardwareCounters)) func cycles() throws {
    #expect(try count(run("cycles", during: "for ((i = 0; i < 100000; i++)); do :; done")) > 1)
  }

  /// As eunomia-bpf's loader has it.
  @Test func onceASecondWhereThePackageDoesNotSay() throws {
    let run = try run("seconds", during: "end=$((SECONDS + 3)); while ((SECONDS < end)); do :; done")
    #expect(run.status == 0)
    #expect(run.errors.contains("program 'seconds' runs once a second of CPU time, for its package does not say when"))
    #expect(try JSON(try #require(run.lines.last))["data"]?.list?.first?["value"]?.integer ?? 0 > 0)
  }

  @Test func severalFunctions() throws {
    let workload = try ObjectBench.copyWorkload()
    #expect(try count(run("parent", during: "\(workload) exec 1 >/dev/null")) > 0)
  }

  /// `uprobe.multi` (newer than this libbpf), of which the `.s` kind may sleep.
  @Test(arguments: ["many", "sleepy"]) func functionsByGlobInTheSection(program: String) throws {
    let workload = try ObjectBench.copyWorkload()
    #expect(try count(run(program, during: "\(workload) exec 1 >/dev/null")) > 0)
  }

  // MARK: What is refused

  @Test(arguments: [
    ("redirected", "program 'redirected' is attached nowhere: programs in section 'xdp/devmap' are called from", 2),
    ("leaving", "its section 'cgroup_skb/egress' does not say where (--attach leaving=cgroup:PATH)", 2),
    ("frame=xdp:lo:drv", "program 'frame': the driver of interface 'lo' can't run XDP programs (xdp:lo:skb", 4),
    ("copied=socket:1000000000:1", "program 'copied': there is no process 1000000000", 2),
    ("cycles=tc:lo:ingress", "a program in section 'perf_event' (perf_event) can't be attached to tc:lo:ingress", 2),
  ])
  func saysWhy(attach: String, message: String, status: Int32) throws {
    let failed = try run(attach, during: "true")
    #expect(failed.status == status && failed.errors.contains(message), "\(failed.errors)")
  }

  /// What is asked for is not left out for the sake of the others.
  @Test func eachThatIsNamedNeedsAPlace() throws {
    let failed = try run("frame", "leaving", during: "true")
    #expect(failed.status == 2 && failed.errors.contains("program 'leaving' is attached nowhere"), "\(failed.errors)")
  }

  @Test func inspectTellsThePlaces() throws {
    let run = try moontrace("inspect", "--format", "json", try Self.package.get())
    let programs = try JSON(try #require(run.lines.first))["programs"]?.list ?? []
    let places = Dictionary(
      programs.compactMap { entry in entry["name"].map { ("\($0)", entry["place"]) } }, uniquingKeysWith: { a, _ in a })
    func place(_ name: String) -> JSON? { places["\(JSON.text(name))"] ?? nil }
    #expect(place("frame") == .text("xdp:lo:skb"))
    #expect(place("numbered") == .text("tc:lo:egress:3:7"))
    #expect(place("linked") == .text("tcx:lo:ingress"))
    #expect(place("filtered") == .text("netfilter:ipv4:local_in:0, netfilter:ipv4:local_out:-100"))
    #expect(place("everyone") == .text("cgroup"))
    #expect(place("message") == .text("sockmap:peers"))
    #expect(place("cycles") == .text("perf_event:cpu-cycles:199hz"))
    #expect(place("seconds") == .text("perf_event:cpu-cycles:1hz"))
  }
}
