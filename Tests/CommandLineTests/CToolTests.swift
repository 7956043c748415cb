import Glibc
import KernelTestSupport
import Testing

/// Programs written as those of libbpf's tools are: with variants for many kernels, sizes and places that user space
/// chooses, and results in maps and variables that it would print.
@Suite(.requires(.root, .clang))
struct CToolTests {
  private static let note = "left out, for other programs do the same: "

  // MARK: Variants

  private static let variants = Result {
    try CProgramBench(
      """
      struct event { __u64 from; };
      MAP(calls, HASH, __u32, __u64, 8);
      static __always_inline int count(__u64 *args, __u32 from) {
        if (args[1] != 110 || !is_ours()) return 0;
        __u64 one = 1, *count = bpf_map_lookup_elem(&calls, &from);
        if (count) __sync_fetch_and_add(count, 1); else bpf_map_update_elem(&calls, &from, &one, 0);
        return 0;
      }
      SEC("raw_tp/sys_enter") int raw(__u64 *ctx) { return count(ctx, 1); }
      SEC("tp_btf/sys_enter") int typed(__u64 *ctx) { return count(ctx, 2); }
      SEC("tracepoint/raw_syscalls/sys_enter") int named(__u64 *ctx) { return count(ctx, 3); }
      __u64 others;
      SEC("raw_tp/sys_enter") int another(__u64 *ctx) { others++; return 0; }
      """)
  }

  @Test func oneOfSeveralVariantsRuns() throws {
    let bench = try Self.variants.get()
    let run = try bench.run(options: ["--sample", "calls=table,60000"])
    #expect(run.status == 0 && run.output == "calls\nKEY VALUE\n  2     3\n", "\(run.output)")
    #expect(
      run.errors == """
        \(bench.object): \(Self.note)raw (raw_tp/sys_enter), named (tracepoint/raw_syscalls/sys_enter) \
        (--attach NAME takes one instead)

        """)
  }

  @Test func theUserChoosesAVariant() throws {
    let bench = try Self.variants.get()
    let run = try bench.run(options: ["--sample", "calls=table,60000", "--attach", "raw"])
    #expect(run.status == 0 && run.output == "calls\nKEY VALUE\n  1     3\n", "\(run.output)")
    #expect(run.errors.contains("\(Self.note)typed (tp_btf/sys_enter), named"))
    let both = try bench.run(options: ["--sample", "calls=table,60000", "--attach", "raw", "--attach", "typed"])
    #expect(both.output == "calls\nKEY VALUE\n  1     3\n  2     3\n", "\(both.output)")
  }

  @Test func scriptsGetOneVariantToo() throws {
    let workload = try ObjectBench.copyWorkload()
    let script = """
      local o = bpf.object("\(try Self.variants.get().object)")
      o.globals.workload = arg[1]:match("[^/]+$")
      o:attach()
      at_exit(function() for from, count in pairs(o.maps.calls) do print(from, count) end end)
      """
    let run = try moontrace("run", "-c", "exec \(workload) getppid 3 >/dev/null", "-d", "60", "-e", script, workload)
    #expect(run.output == "2\t3\n" && run.errors.contains(Self.note), "\(run.errors)")
  }

  private static func places(_ sections: [(name: String, section: String, step: Int)]) throws -> CProgramBench {
    let programs = sections.map {
      "SEC(\"\($0.section)\") int \($0.name)(void *ctx) { return is_ours() ? count(\($0.step)) : 0; }\n"
    }
    return try CProgramBench(
      """
      MAP(calls, ARRAY, __u32, __u64, 1);
      static __always_inline int count(int step) {
        __u32 zero = 0;
        __u64 *count = bpf_map_lookup_elem(&calls, &zero);
        if (count) __sync_fetch_and_add(count, step);
        return 0;
      }
      \(programs.joined())
      """)
  }

  @Test func systemCallsOfOtherMachinesAreLeftOut() throws {
    let prefix = "tracepoint/syscalls/sys_enter_"
    let bench = try Self.places([("here", prefix + "getppid", 1), ("elsewhere", prefix + "arm_getppid", 5)])
    let run = try bench.run(options: ["--sample", "calls=table,60000"])
    #expect(run.status == 0 && run.output == "calls\nVALUE\n    3\n", "\(run.output)")
    #expect(
      run.errors == """
        \(bench.object): left out, for this kernel has no such place, and others do the same: \
        elsewhere (\(prefix)arm_getppid)

        """)
    let alone = try Self.places([
      ("end", "tracepoint/syscalls/sys_exit_getppid", 1), ("start", prefix + "getpppid", 1),
    ]).run()
    #expect(alone.status == 4 && alone.errors.contains("sys_enter_getpppid (did you mean 'sys_enter_getppid'?)"))
  }

  @Test func placesOfOtherKernelsAreLeftOut() throws {
    let here = ("here", "tp_btf/sys_enter", 1)
    let run = try Self.places([here, ("old", "tp_btf/sys_enter_of_old", 1)]).run()
    #expect(run.status == 0 && run.errors.contains("and others do the same: old (tp_btf/sys_enter_of_old)"))
    // What it counts is something else.
    let other = try Self.places([here, ("other", "tp_btf/sys_enter_of_old", -1)]).run()
    #expect(other.status == 4 && other.errors.contains("this kernel has no 'sys_enter_of_old'"), "\(other.errors)")
    #expect(
      other.errors.contains("--attach PROGRAM=SPEC puts it elsewhere, =none leaves it out"), "\(other.errors)")
  }

  @Test func aFunctionWithoutItsFile() throws {
    let bench = try CProgramBench("SEC(\"uretprobe/readline\") int line(void *ctx) { return 0; }")
    let run = try bench.run()
    #expect(run.status == 2)
    #expect(
      run.errors.contains("its section 'uretprobe/readline' does not say where (--attach line=u"), "\(run.errors)")
  }

  // MARK: What user space would set up

  private static let stacks = Result {
    try CProgramBench(
      """
      struct who { __u32 tgid; int user_stack_id; };
      struct hist { int kern_stack_id; __u32 slots[4]; };
      struct place { __u64 kern_stack[4]; };
      MAP(places, HASH, struct place, __u64, 8);
      struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __type(key, __u32); } stackmap SEC(".maps");
      struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, struct who); __type(value, __u64); } counts SEC(".maps");
      MAP(waits, HASH, __u32, struct hist, 8);
      ON_CALL {
        ONLY_OURS;
        struct who who = {bpf_get_current_pid_tgid() >> 32, bpf_get_stackid(ctx, &stackmap, BPF_F_USER_STACK)};
        __u64 one = 1, *count = bpf_map_lookup_elem(&counts, &who);
        if (count) ++*count; else bpf_map_update_elem(&counts, &who, &one, 0);
        __u32 zero = 0;
        struct hist hist = {bpf_get_stackid(ctx, &stackmap, 0), {0, 3}};
        bpf_map_update_elem(&waits, &zero, &hist, 0);
        struct place place = {};
        bpf_get_stack(ctx, place.kern_stack, sizeof place.kern_stack, 0);
        bpf_map_update_elem(&places, &place, &one, 0);
        return 0;
      }
      """)
  }

  @Test func stacksHaveNames() throws {
    let bench = try Self.stacks.get()
    // The process must live when its stack is named: the trace ends before it does.
    let run = try bench.run(
      options: ["-f", "json", "--sample", "counts=table,20", "--sample", "waits=table,60000"],
      command: "getppid 3000000")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let rows = try run.lines.map { try JSON($0) }.flatMap { $0["data"]?.list ?? [] }
    let named = rows.compactMap { $0["key"]?.list?.last?.text }.filter { $0.contains("syscall+0x") }
    #expect(!named.isEmpty, "\(run.output)")
    #expect(rows.contains { $0["value"]?["kern_stack_id"]?.text?.contains("\n") == true }, "\(run.output)")
  }

  @Test func stacksStandBelowTheirRows() throws {
    let run = try Self.stacks.get().run(options: ["--sample", "counts=table,60000", "--sample", "waits=log2,60000"])
    #expect(run.lines.contains { $0.hasSuffix("TGID VALUE") }, "\(run.output)")
    #expect(run.output.contains("\n    user_stack_id\n        "), "\(run.output)")
    #expect(run.output.contains("waits = 0\n    kern_stack_id\n        "), "\(run.output)")
  }

  @Test func mapsOfStacksAreShownUnasked() throws {
    let run = try Self.stacks.get().run()
    #expect(run.status == 0 && run.output.contains("waits = 0") && run.output.contains("counts\n"), "\(run.output)")
    #expect(run.output.contains("places\nVALUE\n    1\n    kern_stack\n        bpf_prog_"), "\(run.output)")
  }

  @Test func aCgroupToCompareWith() throws {
    let bench = try CProgramBench(
      """
      struct { __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY); __type(key, __u32); __type(value, __u32);
        __uint(max_entries, 1); } cgroup_map SEC(".maps");
      const volatile bool filter_cg;
      struct event { int is_inside; };
      RING_OF(events, struct event);
      ON_CALL {
        ONLY_OURS;
        struct event e = {bpf_current_task_under_cgroup(&cgroup_map, 0)};
        if (!filter_cg || e.is_inside == 1) bpf_ringbuf_output(&events, &e, sizeof e, 0);
        return 0;
      }
      """)
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
    if let root = roots.first(where: { access("\($0)/cgroup.controllers", F_OK) == 0 }) {
      let inside = try bench.records(["--filter-cg"], options: ["--cgroup", root])
      #expect(inside == [JSON](repeating: try JSON("{\"is_inside\":1}"), count: 3))
      #expect(try bench.records(["--filter-cg"]).isEmpty)
    }
    let missing = try bench.run(options: ["--cgroup", "/nowhere"])
    #expect(missing.status == 2 && missing.errors.contains("can't open cgroup '/nowhere': No such file"))
    let wrong = try bench.run(options: ["--cgroup", "/proc"])
    #expect(wrong.status == 2 && wrong.errors.contains("'/proc' is no directory of a version 2 cgroup hierarchy"))
    let useless = try Self.stacks.get().run(options: ["--cgroup", "/proc"])
    #expect(useless.status == 2 && useless.errors.contains("it has no map of cgroups"))
  }

  @Test func entriesThatFilter() throws {
    let bench = try CProgramBench(
      """
      struct event { __u8 weight; };
      RING_OF(events, struct event);
      MAP(numbers, HASH, __u64, __u8, 8);
      MAP(places, ARRAY, __u32, __u32, 2);
      MAP(names, HASH, struct event, __u8, 8);
      ON_CALL {
        ONLY_OURS;
        __u64 number = ctx->args[1];
        __u8 *weight = bpf_map_lookup_elem(&numbers, &number);
        if (weight) bpf_ringbuf_output(&events, weight, 1, 0);
        return 0;
      }
      """)
    #expect(try bench.records().isEmpty)
    let ones = try bench.records(options: ["--put", "numbers=110", "--put", "numbers=12"])
    #expect(ones == [JSON](repeating: try JSON("{\"weight\":1}"), count: 3))
    #expect(
      try bench.records(options: ["--put", "numbers=110:7"], command: "getppid 1") == [try JSON("{\"weight\":7}")])
    let mistakes = [
      "numbers=x": "OBJECT: map 'numbers': its key: expected an integer from 0 to 18446744073709551615, got 'x'",
      "numbers=1:256": "OBJECT: map 'numbers': its value: expected an integer from 0 to 255, got '256'",
      "places=2": "OBJECT: map 'places': it has room for 2 entries, and not for this one",
      "nubers=1": "OBJECT has no map 'nubers' (did you mean 'numbers'?)",
      "names=1": "OBJECT: map 'names': its keys or values can't be typed (fill it from a script, with bpf.object)",
      "numbers": "expected MAP=KEY or MAP=KEY:VALUE, got 'numbers'",
    ]
    for (text, message) in mistakes {
      let run = try bench.run(options: ["--put", text])
      #expect(run.status == 2 && run.errors == "--put: \(message.replacing("OBJECT", with: bench.object))\n")
    }
  }

  // MARK: What user space would print

  private static let variables = Result {
    try CProgramBench(
      """
      struct hist { __u32 slots[4]; };
      struct hist hists[3] = {};
      __u32 latency_hist[4] = {}, total;
      __u64 counts[4] = {};
      ON_CALL {
        ONLY_OURS;
        __u32 number = total++;
        hists[1].slots[number & 3]++;
        latency_hist[2] += 2;
        counts[number & 1]++;
        return 0;
      }
      """)
  }

  @Test func histogramsInVariablesAreShownUnasked() throws {
    let run = try Self.variables.get().run(command: "getppid 7")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(
      run.output == """
        hists = 1
        value   : count  distribution
        0 -> 1  :     2  |****************************************|
        2 -> 3  :     2  |****************************************|
        4 -> 7  :     2  |****************************************|
        8 -> 15 :     1  |********************                    |
        latency_hist
        value  : count  distribution
        4 -> 7 :    14  |****************************************|

        """, "\(run.output)")
  }

  @Test func variablesAreShownAsMapsAre() throws {
    let bench = try Self.variables.get()
    let tables = try bench.run(
      options: ["--sample", "counts=table,60000", "--sample", "total=table,60000"], command: "getppid 7")
    #expect(tables.output == "counts\nKEY VALUE\n  0     4\n  1     3\ntotal\nVALUE\n    7\n", "\(tables.output)")
    let linear = try bench.run(options: ["--sample", "counts=linear,60000", "-f", "json"], command: "getppid 7")
    let buckets = try JSON(try #require(linear.lines.first))["data"]?.list?.first?["value"]?.list
    #expect(buckets == [try JSON("{\"min\":0,\"max\":0,\"count\":4}"), try JSON("{\"min\":1,\"max\":1,\"count\":3}")])
    let wrong = try bench.run(options: ["--sample", "total=log2"])
    #expect(wrong.status == 2 && wrong.errors.contains("variable 'total': a histogram needs values with an array"))
    let unknown = try bench.run(options: ["--sample", "coutns"])
    #expect(unknown.status == 2 && unknown.errors.contains("has no map 'coutns' (did you mean 'counts'?)"))
  }

  @Test func argumentsAndAddresses() throws {
    let bench = try CProgramBench(
      """
      struct event { union { __u32 saddr_v4; __u8 saddr_v6[16]; }; __u8 daddr[16]; __u16 family; int args_size;
        char args[32]; };
      struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); }
        events SEC(".maps");
      int sent;
      struct event *known;
      ON_CALL {
        ONLY_OURS;
        struct event e = {.family = sent++ ? 10 : 2, .args_size = 14, .args = "ls\\0-l\\0two words"};
        e.saddr_v6[0] = 127, e.saddr_v6[3] = 1, e.daddr[0] = 254, e.daddr[1] = 128, e.daddr[15] = 7;
        if (sent == 3) e.args_size = -14;
        bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof e);
        return 0;
      }
      """)
    let records = try bench.records()
    try #require(records.count == 3)
    #expect(
      records[0]
        == (try JSON(
          """
          {"saddr_v4":"127.0.0.1","saddr_v6":null,"daddr":"254.128.0.0","family":2,"args_size":14,\
          "args":"ls -l two word"}
          """)))
    #expect(records[1]["saddr_v6"] == .text("7f00:1::") && records[1]["daddr"] == .text("fe80::7"))
    #expect(records[1]["saddr_v4"] == .null && records[2]["args"] == .text("ls"))
  }
}
