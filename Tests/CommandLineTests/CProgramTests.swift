import Glibc
import KernelTestSupport
import Support
import Testing

/// Programs in C that run by themselves: options, places, records.
@Suite(.requires(.root, .clang))
struct CProgramTests {
  // MARK: Options

  private static let options = Result {
    try CProgramBench(
      """
      enum mood { QUIET = 0, LOUD = 2, NEGATIVE = -7 };
      struct event { __s8 n8; __u8 m8; __s16 n16; __u16 m16; int n32; __u32 m32; __s64 n64; __u64 m64; bool off, on;
        char letter, text[8]; enum mood mood; short list[3]; __u32 fraction; __u64 large_fraction; };
      const volatile __s8 n8; const volatile __u8 m8; const volatile __s16 n16 = -4; const volatile __u16 m16;
      const volatile int n32; const volatile __u32 m32; const volatile __s64 n64;
      const volatile __u64 m64 = 18446744073709551615ull;
      const volatile bool off, on = true;
      const volatile char letter = 'x', text[8] = "abc";
      const volatile enum mood mood = LOUD;
      const volatile short list[3] = {1, 2, 3};
      const volatile float fraction = 0.5; const volatile double large_fraction;
      const volatile struct { int inside; } not_an_option;
      int pid;
      RING_OF(events, struct event);
      ON_CALL {
        ONLY_OURS;
        struct event *e = bpf_ringbuf_reserve(&events, sizeof *e, 0);
        if (!e) return not_an_option.inside + pid;
        e->n8 = n8, e->m8 = m8, e->n16 = n16, e->m16 = m16, e->n32 = n32, e->m32 = m32, e->n64 = n64, e->m64 = m64;
        e->off = off, e->on = on, e->letter = letter, e->mood = mood;
        for (int i = 0; i < 8; i++) e->text[i] = text[i];
        for (int i = 0; i < 3; i++) e->list[i] = list[i];
        e->fraction = *(volatile __u32 *)&fraction, e->large_fraction = *(volatile __u64 *)&large_fraction;
        bpf_ringbuf_submit(e, 0);
        return 0;
      }
      """)
  }

  private func event(_ arguments: String...) throws -> JSON {
    try #require(try Self.options.get().records(arguments, command: "getppid 1").first)
  }

  @Test func globalsKeepWhatTheProgramGivesThem() throws {
    #expect(
      try event()
        == JSON(
          """
          {"n8":0,"m8":0,"n16":-4,"m16":0,"n32":0,"m32":0,"n64":0,"m64":18446744073709551615,"off":false,"on":true,\
          "letter":"x","text":"abc","mood":"LOUD","list":[1,2,3],"fraction":\((0.5 as Float).bitPattern),\
          "large_fraction":0}
          """))
  }

  @Test func everyKindOfGlobalIsAnOption() throws {
    let given = try event(
      "--n8", "-128", "--m8=255", "--n16", "32767", "--m16", "0xffff", "--n32", "-2147483648", "--m32", "4294967295",
      "--n64", "-9223372036854775808", "--m64", "12", "--off", "--no-on", "--letter", "y", "--text", "12345678",
      "--mood",
      "NEGATIVE", "--list", "-7,8", "--fraction", "1.5", "--large-fraction=2e3")
    #expect(
      given
        == (try JSON(
          """
          {"n8":-128,"m8":255,"n16":32767,"m16":65535,"n32":-2147483648,"m32":4294967295,"n64":-9223372036854775808,\
          "m64":12,"off":true,"on":false,"letter":"y","text":"12345678","mood":"NEGATIVE","list":[-7,8,0],\
          "fraction":\((1.5 as Float).bitPattern),"large_fraction":\(Int64(bitPattern: (2000.0).bitPattern))}
          """)))
  }

  @Test func booleansInTheWordsOfEunomia() throws {
    let given = try event("--enable-off", "--disable-on")
    #expect(given["off"] == .boolean(true) && given["on"] == .boolean(false))
  }

  @Test(arguments: [
    ("--n8 128", "--n8: expected an integer from -128 to 127, got '128'"),
    ("--m8 -1", "--m8: expected an integer from 0 to 255, got '-1'"),
    (
      "--m64 18446744073709551616",
      "--m64: expected an integer from 0 to 18446744073709551615, got '18446744073709551616'"
    ),
    ("--n32 twelve", "--n32: expected an integer from -2147483648 to 2147483647, got 'twelve'"),
    ("--letter yz", "--letter: expected one character, got 'yz'"),
    ("--text 123456789", "--text: expected at most 8 bytes of text, got '123456789'"),
    ("--mood LOD", "--mood: expected one of QUIET, LOUD, NEGATIVE, got 'LOD' (did you mean 'LOUD'?)"),
    (
      "--list 1,2,3,4",
      "--list: expected up to 3 values with commas between, each an integer from -32768 to 32767, got '1,2,3,4'"
    ),
    ("--fraction 1e39", "--fraction: expected a number, got '1e39'"),
    ("--large-fraction nan", "--large-fraction: expected a number, got 'nan'"),
    ("--on=maybe", "--on takes no value, got 'maybe' (--on turns it on, --no-on off)"),
    ("--n32", "--n32 needs a value: an integer from -2147483648 to 2147483647"),
    ("--n33 1", "unknown option '--n33' (did you mean '--n32'?)"),
    ("--not-an-option 1", "unknown option '--not-an-option' (--help lists the options; -- ends them)"),
    (
      "-d 1",
      "unknown option '-d' (-d of moontrace run stands before the name: moontrace run -d … test.bpf.o)"
    ),
    ("more", "test.bpf.o takes options only, not 'more' (--help lists them)"),
  ])
  func badValuesNameTheOption(_ line: String, _ message: String) throws {
    let run = try Self.options.get().run(line.split(separator: " ").map(String.init))
    #expect(run.status == 2 && run.output == "")
    #expect(run.errors == message + "\n")
  }

  @Test func helpListsTheGlobals() throws {
    let run = try Self.options.get().run(["--help"])
    #expect(run.status == 0 && run.errors == "")
    #expect(run.lines.first == "Usage: moontrace run test.bpf.o [OPTION]...")
    for line in [
      "      --n16 INTEGER            __s16 (default: -4)", "      --off                    bool",
      "      --[no-]on                bool (default: on)", "      --text TEXT              char[8] (default: abc)",
      "      --mood NAME              enum mood (default: LOUD)",
    ] {
      #expect(run.lines.contains(line), "\(run.output)")
    }
    #expect(!run.output.contains("inside") && !run.output.contains("not-an-option"))
    #expect(try moontrace("run", Self.options.get().object, "--", "--help").output == run.output)
  }

  @Test func theProcessToTraceIsAnOptionWhereTheProgramHasIt() throws {
    let bench = try CProgramBench(
      """
      const volatile int pid;
      struct event { int wanted; };
      RING_OF(events, struct event);
      ON_CALL { ONLY_OURS; struct event e = {pid}; bpf_ringbuf_output(&events, &e, sizeof e, 0); return 0; }
      """)
    let own = ["--pid", "\(getpid())", "-n", "1"]
    #expect(try bench.records(options: own) == [try JSON("{\"wanted\":\(getpid())}")])
    #expect(try bench.records(["--pid", "12"], options: own) == [try JSON("{\"wanted\":12}")])
    let other = try Self.records.get().run(options: ["--pid", "\(getpid())"], command: "getppid 1")
    #expect(other.errors.contains("--pid only ends the run with the process, for the program has no option pid"))
  }

  // MARK: Records

  private static let records = Result {
    try CProgramBench(
      """
      struct event { __u64 number; __u32 low : 3, high : 29; union { int x; __u8 byte; } choice; struct { short a; } in; };
      MAP(kept, ARRAY, __u32, struct event, 1);
      RING(ring); RING(odd);
      struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } perf SEC(".maps");
      __u64 sent;
      ON_CALL {
        ONLY_OURS;
        struct event *e = bpf_ringbuf_reserve(&ring, sizeof *e, 0);
        if (!e) return 0;
        __builtin_memset(e, 0, sizeof *e);
        e->number = __sync_fetch_and_add(&sent, 1) + 1, e->low = 5, e->high = 6, e->choice.x = 263, e->in.a = -1;
        bpf_ringbuf_submit(e, 0);
        struct event copy = {.number = 100 + sent};
        bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &copy, sizeof copy);
        char text[19] = "no type is so large";
        bpf_ringbuf_output(&odd, text, sizeof text, 0);
        return 0;
      }
      """)
  }

  private static let note =
    "the records of 'odd' are shown as bytes, for nothing says how they read (--event 'odd=struct NAME')\n"

  @Test func severalBuffersTypedByWhatIsSent() throws {
    let run = try Self.records.get().run(options: ["-f", "json"])
    #expect(run.status == 0 && run.errors == Self.note)
    let lines = Dictionary(grouping: run.lines) { $0.prefix(11) }.mapValues { $0 }
    #expect(lines.values.map(\.count) == [3, 3, 3])
    #expect(
      run.lines.contains(
        "{\"map\":\"ring\",\"number\":3,\"low\":5,\"high\":6,\"choice\":{\"x\":263,\"byte\":7},\"in\":{\"a\":-1}}"))
    #expect(run.lines.contains { $0.hasPrefix("{\"map\":\"perf\",\"number\":103,\"low\":0") })
    #expect(run.lines.contains("{\"map\":\"odd\",\"bytes\":\"6e6f207479706520697320736f206c61726765\"}"))
  }

  @Test func bytesForPeopleAndSheets() throws {
    let bench = try Self.records.get()
    let table = try bench.run(command: "getppid 1")
    #expect(
      table.output.contains(
        """
        odd, 19 bytes
          0000  6e 6f 20 74 79 70 65 20 69 73 20 73 6f 20 6c 61  |no type is so la|
          0010  72 67 65                                         |rge|

        """))
    #expect(table.lines.contains { $0.hasPrefix("MAP ") && $0.contains("NUMBER") })
    let csv = try bench.run(options: ["-f", "csv"], command: "getppid 1")
    #expect(csv.output.contains("map,bytes\nodd,6e6f207479706520697320736f206c61726765\n"))
    #expect(csv.output.contains("map,number,low,high,choice,in\nring,1,5,6,"))
  }

  @Test func theCommandLineNamesATypeOfRecords() throws {
    let bench = try Self.records.get()
    let run = try bench.run(options: ["-f", "json", "--event", "odd=struct event"], command: "getppid 1")
    #expect(run.status == 0 && run.errors == "")
    #expect(run.lines.contains { $0.hasPrefix("{\"map\":\"odd\",\"number\":2334395648803106670,") })
    let wrong = try bench.run(options: ["--event", "odd=struct evnt"])
    #expect(wrong.status == 2 && wrong.errors.contains("no type 'struct evnt' in its BTF (did you mean 'event'?)"))
    let missing = try bench.run(options: ["--event", "od=struct event"])
    #expect(missing.status == 2 && missing.errors.contains("has no ring or perf buffer 'od' (did you mean 'odd'?)"))
    let form = try bench.run(options: ["--event", "odd"])
    #expect(form.status == 2 && form.errors == "--event: expected MAP=struct NAME, got 'odd'\n")
  }

  @Test func cTextRunsAsItIs() throws {
    let bench = try Self.records.get()
    let text = String(bench.object.dropLast()) + "c"
    let run = try bench.run(target: text, options: ["-f", "json", "-n", "1"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.hasPrefix("{\"map\":\"ring\",\"number\":1,"))
    let directory = try TemporaryDirectory()
    let broken = try moontrace("run", try directory.write("broken.bpf.c", "\n\nint x = ;\n"))
    #expect(broken.status == 1 && broken.errors.contains("broken.bpf.c:3: C error: expected expression"))
  }

  // MARK: Places

  @Test func placesOfPrograms() throws {
    let bench = try CProgramBench(
      """
      int packets;
      SEC("xdp") int drop(struct xdp_md *ctx) { packets++; return XDP_PASS; }
      SEC("?raw_tp/sys_enter") int optional(struct bpf_raw_tracepoint_args *ctx) {
        ONLY_OURS;
        bpf_printk("called %d", ctx->args[1]);
        return 0;
      }
      """)
    let nowhere =
      "\(bench.object): program 'drop' is attached nowhere: its section 'xdp' does not say where (--attach drop=xdp:INTERFACE)\n"
    let none = try bench.run()
    #expect(none.status == 2 && none.errors == nowhere)
    let optional = try bench.run(options: ["--allow", "kernel.write", "--attach", "optional", "--trace-pipe"])
    #expect(optional.status == 0 && optional.errors == nowhere)
    // The kernel has forgotten the names of some processes by then: `<...>-811`.
    let calls = optional.lines.filter { $0.contains("bpf_trace_printk: called 110") }
    #expect(calls.count == 3, "\(optional.output)")
    let refused = try bench.run(options: ["--attach", "drop=xdp:lo"])
    #expect(refused.status == 3 && refused.errors.contains("--allow kernel.write"))
    let interface = try bench.run(options: ["--allow", "kernel.write", "--attach", "drop=xdp:nope0"])
    #expect(interface.status == 2)
    #expect(interface.errors == "\(bench.object): program 'drop': there is no network interface 'nope0'\n")
    let unknown = try bench.run(options: ["--attach", "drp=xdp:lo"])
    #expect(unknown.status == 2)
    #expect(
      unknown.errors == "--attach: \(bench.object) has no program 'drp' (did you mean 'drop'?) (write PROGRAM=SPEC)\n")
    let kind = try bench.run(options: ["--attach", "optional=profile:99"])
    #expect(kind.status == 2 && kind.errors.contains("program 'optional': a program in section 'raw_tp/sys_enter'"))
  }

  @Test func placesThatOnlyTheRunKnows() throws {
    let bench = try CProgramBench(
      """
      struct event { char from; };
      RING_OF(events, struct event);
      static __always_inline int send(char from) {
        if (!is_ours()) return 0;
        struct event e = {from};
        bpf_ringbuf_output(&events, &e, sizeof e, 0);
        return 0;
      }
      SEC("uprobe") int in_library(void *ctx) { return send('u'); }
      SEC("perf_event") int sampled(void *ctx) { return send('p'); }
      SEC("raw_tp/sys_enter") int left_out(void *ctx) { return send('x'); }
      """)
    let places = ["in_library=uprobe:libc:syscall", "sampled=software:cpu-clock:1000000", "left_out=none"]
    let records = try bench.records(options: places.flatMap { ["--attach", $0] }, command: "getppid 30000")
    let letters = Set(records.compactMap { $0["from"]?.text })
    #expect(letters == ["u", "p"])
    // The workload makes some other calls before and after.
    #expect((30_000..<30_100).contains(records.count { $0["from"] == .text("u") }))
  }

  @Test func theOptionsOfProgramsInCAreTheirs() throws {
    let run = try moontrace("run", "--sample", "x", "-e", "print(1)")
    #expect(run.status == 2 && run.errors.contains("--sample is for programs in C, and (command line) is none"))
  }

  @Test func iteratorsArePrinted() throws {
    let bench = try CProgramBench(
      """
      const volatile int limit = 3;
      int count;
      SEC("iter/task") int tasks(struct bpf_iter__task *ctx) {
        struct task_struct *task = ctx->task;
        if (task && count++ < limit) BPF_SEQ_PRINTF(ctx->meta->seq, "%d\\n", task->pid);
        return 0;
      }
      """)
    let run = try moontrace("run", bench.object, "--limit", "2")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.lines.count == 2 && run.lines.allSatisfy { Int($0) != nil })
  }

  /// Which the kernel must be told what they go over.
  @Test func iteratorsOverMapsAndCgroups() throws {
    let source = """
      MAP(counts, HASH, __u32, __u64, 8);
      SEC("iter/bpf_map_elem") int entries(struct bpf_iter__bpf_map_elem *ctx) {
        __u32 *key = ctx->key;
        if (key) BPF_SEQ_PRINTF(ctx->meta->seq, "key %d\\n", *key);
        return 0;
      }
      """
    let cgroups = """
      SEC("iter/cgroup") int cgroups(struct bpf_iter__cgroup *ctx) {
        struct cgroup *cgroup = ctx->cgroup;
        if (cgroup && cgroup->level == 0) BPF_SEQ_PRINTF(ctx->meta->seq, "top\\n");
        return 0;
      }
      """
    let run = try moontrace("run", "--put", "counts=7", try CProgramBench(source + cgroups).object)
    #expect(run.status == 0 && run.errors == "" && run.output == "key 7\ntop\n", "\(run)")
    let several = try moontrace("run", try CProgramBench("MAP(more, ARRAY, __u32, __u64, 8);" + source).object)
    #expect(several.status == 2)
    #expect(
      several.errors.hasSuffix(
        "program 'entries': iter:bpf_map_elem goes over the entries of a map, and its object has several that fit "
          + "(leave one of more, counts in it)\n"), "\(several.errors)")
  }

  // MARK: What can't run

  @Test func objectsWithoutPrograms() throws {
    let forgotten = try CProgramBench("int forgotten(void *ctx) { return 0; }")
    let function = try moontrace("run", forgotten.object)
    let reason = "it is a function without a section: SEC(\"…\") before it says where"
    #expect(function.status == 2)
    #expect(function.errors == "\(forgotten.object): program 'forgotten' is attached nowhere: \(reason)\n")
    let empty = try CProgramBench("int number;")
    let run = try moontrace("run", empty.object)
    #expect(run.status == 1)
    #expect(
      run.errors == "\(empty.object): there is no program in it (a program is a function with SEC(\"…\"), such as "
        + "SEC(\"tracepoint/syscalls/sys_enter_openat\"))\n")
    let bench = try CProgramBench("SEC(\"raw_tp/sys_enter\") int on_call(void *ctx) { return 0; }")
    let none = try moontrace("run", "--attach", "on_call=none", bench.object)
    #expect(none.status == 2)
    #expect(none.errors == "\(bench.object): all its programs are left out (--attach NAME takes one)\n")
  }

  @Test func programsOfAMapThatAreLeftOut() throws {
    let bench = try CProgramBench(
      """
      int tail(void *ctx);
      struct {
        __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(key_size, 4); __uint(max_entries, 2);
        __array(values, int(void *));
      } tails SEC(".maps") = {.values = {[1] = (void *)&tail}};
      SEC("raw_tp/sys_enter") int tail(void *ctx) { return 0; }
      ON_CALL { bpf_tail_call(ctx, &tails, 1); return 0; }
      """)
    let run = try moontrace("run", "--attach", "tail=none", bench.object)
    #expect(run.status == 2)
    #expect(run.errors.contains("map 'tails': program 'tail', its entry 1, is left out (one"), "\(run.errors)")
  }

  // MARK: From Lua

  @Test func aScriptSetsOptions() throws {
    let bench = try Self.options.get()
    let script = """
      local o = bpf.object("\(bench.object)", { n16 = 77, workload = arg[1]:match("[^/]+$"), mood = "QUIET" })
      o.maps.events:each(function(e) print(e.n16, e.mood) end)
      o:attach()
      """
    let workload = try ObjectBench.copyWorkload()
    let run = try moontrace("run", "-c", "exec \(workload) getppid 1 >/dev/null", "-d", "60", "-e", script, workload)
    #expect(run.output == "77\tQUIET\n" && run.errors == "", "\(run.errors)")
    let wrong = try moontrace("-e", "bpf.object('\(bench.object)', { n17 = 1 })")
    #expect(wrong.status == 1 && wrong.errors.contains("no global 'n17' (did you mean 'n16'?)"))
  }
}
