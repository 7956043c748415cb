import CLibbpf
import Glibc
import KernelTestSupport
import Support
import Testing

/// Scripts on the live kernel, with a workload that does a known number of known things.
@Suite(.requires(.root, .clang))
struct LiveTests {
  /// C that counts what it sends: the workload's getppid calls.
  static let counting = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    struct event { __u64 number; };
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");
    const volatile char target[16];
    __u64 sent;
    static __always_inline int is_workload(void) {
      char comm[16];
      bpf_get_current_comm(comm, sizeof(comm));
      for (int i = 0; i < 16; i++) {
        if (comm[i] != target[i]) return 0;
        if (!comm[i]) break;
      }
      return 1;
    }
    SEC("raw_tp/sys_enter") int on_enter(struct bpf_raw_tracepoint_args *ctx) {
      if (ctx->args[1] != 110 || !is_workload()) return 0;
      __u64 number = __sync_fetch_and_add(&sent, 1) + 1;
      struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
      if (!e) return 0;
      e->number = number;
      bpf_ringbuf_submit(e, 0);
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";
    """

  /// This test's own workload, under a name that no other process has.
  let workload: Workload

  init() throws {
    workload = try Workload()
  }

  private func script(_ lua: String) -> String {
    "local o = bpf.compile [[\n\(Self.counting)\n]]\no.globals.target = '\(workload.name)'\n\(lua)"
  }

  // MARK: Nothing lost, nothing uncounted

  @Test func twoMillionEventsArriveWithTheDefaultBuffer() throws {
    let run = try moontrace(
      "-c", "\(workload.path) getppid 2000000 >/dev/null", "-e",
      script(
        """
        local count, sum = 0, 0
        o.maps.events:each(function(e) count = count + 1 sum = sum + e.number end)
        o:attach()
        at_exit(function() print(count, sum, o.globals.sent) end)
        """))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output == "2000000\t2000001000000\t2000000\n", "\(run.errors)")
    #expect(run.errors == "")
  }

  @Test func deliveredAndLostIsWhatWasSent() throws {
    let run = try moontrace(
      "--buffer", "4K", "--stats", "-c", "\(workload.path) getppid 500000 >/dev/null", "-e",
      script(
        """
        local count = 0
        o.maps.events:each(function(e)
          count = count + 1
          for i = 1, 200 do end
        end)
        o:attach()
        at_exit(function() print(count, o.globals.sent) end)
        """))
    let numbers = run.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    try #require(numbers.count == 2, "\(run.output) \(run.errors)")
    #expect(numbers[1] == 500_000)
    let lost = numbers[1] - numbers[0]
    #expect(lost > 0)
    #expect(run.errors.contains("lost \(lost) of 500000 events in all"))
    #expect(run.errors.contains("--buffer"))
    #expect(run.errors.contains("events: \(numbers[0]) delivered, \(lost) lost"))
    #expect(run.errors.contains("on_enter"))
  }

  @Test func maxEventsEndsTheRun() throws {
    let run = try moontrace(
      "-n", "10", "-f", "json", "-c", "\(workload.path) getppid 1000 >/dev/null", "-e", script("o:attach()"))
    #expect(run.lines == (1...10).map { "{\"number\":\($0)}" })
    #expect(run.status == 0)
  }

  @Test func eventsPrintThemselvesInEachFormat() throws {
    func output(_ format: String) throws -> [String] {
      try moontrace("-f", format, "-c", "\(workload.path) getppid 2 >/dev/null", "-e", script("o:attach()")).lines
    }
    #expect(try output("json") == ["{\"number\":1}", "{\"number\":2}"])
    #expect(try output("csv") == ["number", "1", "2"])
    let table = try output("table")
    #expect(table.map { $0.trimming } == ["NUMBER", "1", "2"])
  }

  // MARK: Handlers

  @Test func aHandlersErrorIsToldOnceAndTheTraceGoesOn() throws {
    let lua = script(
      """
      local count = 0
      o.maps.events:each(function(e)
        count = count + 1
        if e.number % 2 == 0 then error("even") end
      end)
      o:attach()
      at_exit(function() print(count) end)
      """)
    let arguments = ["-c", "\(workload.path) getppid 10000 >/dev/null", "-e", lua]
    let run = try MoontraceProcess(arguments).wait()
    #expect(run.output == "10000\n")
    #expect(run.status == 0)
    let line = try #require(run.errors.split(separator: "\n").first)
    #expect(run.errors == "\(line)\n\(line) (4999 more times)\n")
    #expect(line.hasSuffix(": even"))
    let strict = try MoontraceProcess(["--strict"] + arguments).wait()
    #expect(strict.status == 1)
    #expect(strict.output == "2\n")
  }

  @Test func viewsEndWithTheirHandler() throws {
    let run = try moontrace(
      "-n", "3", "-c", "\(workload.path) getppid 10 >/dev/null", "-e",
      script(
        """
        local kept, copy
        o.maps.events:each(function(e)
          if kept then print(select(2, pcall(function() return kept.number end))) end
          kept, copy = e, e:copy()
        end)
        o:attach()
        at_exit(function() print(copy.number, pcall(function() return kept.number end)) end)
        """))
    #expect(run.lines.count == 3)
    #expect(run.lines.allSatisfy { $0.contains("stale event") })
    #expect(run.lines.last?.hasPrefix("3\tfalse") == true)
  }

  @Test func aFieldThatDoesNotExist() throws {
    let run = try moontrace(
      "-c", "\(workload.path) getppid 1 >/dev/null", "-e",
      script("o.maps.events:each(function(e) print(e.numbr) end)\no:attach()"))
    #expect(run.errors.contains("no field 'numbr' (did you mean 'number'?)"))
  }

  @Test func endlessHandlersAreStopped() throws {
    let run = try moontrace(
      "--strict", "-c", "\(workload.path) getppid 1 >/dev/null", "-e",
      script("o.maps.events:each(function(e) while true do end end)\no:attach()"))
    #expect(run.status == 1)
    #expect(run.errors.contains("longer than 1 s"))
  }

  @Test func aClosedObjectTakesNoHandlers() throws {
    let run = try moontrace("-e", script("o:attach()\no:close()\no.maps.events:each(print)"))
    #expect(run.status == 1)
    #expect(run.errors.contains("the object is closed: no more events come"))
  }

  @Test func exitInAHandlerEndsTheRun() throws {
    let run = try moontrace(
      "-c", "\(workload.path) getppid 1000 >/dev/null", "-e",
      script(
        "o.maps.events:each(function(e) if e.number == 5 then pcall(exit, 9) end print(e.number) end)\no:attach()"))
    #expect(run.status == 9)
    #expect(run.output == "1\n2\n3\n4\n")
  }

  // MARK: Nothing stays attached

  @Test func nothingStaysAfterKill() throws {
    let process = try MoontraceProcess(["-e", script("o:attach()")])
    try process.waitForAttached()
    let own = try programs(of: process.pid)
    #expect(!own.isEmpty)
    process.signal(SIGKILL)
    _ = try process.wait()
    try waitUntilGone(own)
  }

  @Test func nothingStaysAfterTheEnd() throws {
    let process = try MoontraceProcess(["-e", script("o:attach()")])
    try process.waitForAttached()
    let own = try programs(of: process.pid)
    #expect(try process.interrupt().status == 0)
    try waitUntilGone(own)
  }

  /// The ids of the BPF programs that a process holds, from its descriptors.
  private func programs(of pid: pid_t) throws -> Set<String> {
    var ids: Set<String> = []
    for descriptor in 0..<256 {
      guard let text = try? readFile("/proc/\(pid)/fdinfo/\(descriptor)") else { continue }
      for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("prog_id:") {
        ids.insert(String(line.dropFirst("prog_id:".count)).trimming)
      }
    }
    return ids
  }

  /// The kernel frees programs a moment after their last user; waits for it, a minute at most.
  private func waitUntilGone(_ ids: Set<String>) throws {
    for _ in 0..<1200 {
      if ids.allSatisfy({ !programExists(UInt32($0) ?? 0) }) { return }
      usleep(50_000)
    }
    Issue.record("programs \(ids) are still in the kernel")
  }

  private func programExists(_ id: UInt32) -> Bool {
    let descriptor = bpf_prog_get_fd_by_id(id)
    if descriptor >= 0 { close(descriptor) }
    return descriptor >= 0
  }
}

extension StringProtocol {
  var trimming: String {
    String(self.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
