import Glibc
import KernelTestSupport
import Support
import Testing

/// Compiled objects: their programs, globals and event buffers, and objects as targets.
@Suite(.requires(.root, .clang))
struct ObjectTests {
  static let source = """
    enum colour { RED = 1, GREEN, BLUE };
    struct pair { int a, b; };
    const volatile int step = 5;
    const volatile char label[8] = "abc";
    const volatile bool flag = true;
    const volatile struct pair fixed = {1, 2};
    int number = -3;
    __u64 large = 1ull << 63;
    struct pair both = {3, 4};
    int list[3] = {1, 2, 3};
    enum colour colour = GREEN;
    char text[6] = "hello";
    __u64 calls, ignored;
    SEC("raw_tp/sys_enter") int on_call(struct bpf_raw_tracepoint_args *ctx) {
      if (ctx->args[1] != 110 || !is_ours()) return 0;
      __sync_fetch_and_add(&calls, 1);
      __sync_fetch_and_add(&number, step);
      return flag ? fixed.a + label[0] : 1;
    }
    SEC("raw_tp/sys_exit") int on_return(void *ctx) {
      if (is_ours()) __sync_fetch_and_add(&ignored, 1);
      return 0;
    }
    """

  private static let shared = Result { try ObjectBench(source) }

  /// A ring and a perf buffer that get the same events, 64 bytes or a kilobyte each.
  private static func buffers(padding: Int) -> String {
    """
    struct event { __u64 number; int pid; char comm[16]; char padding[\(padding)]; };
    struct other { __u64 number; };
    MAP(others, ARRAY, __u32, struct other, 1);
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 24); __type(value, struct event); }
      ring SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); }
      perf SEC(".maps");
    __u64 sent;
    SEC("raw_tp/sys_enter") int on_call(struct bpf_raw_tracepoint_args *ctx) {
      if (ctx->args[1] != 110 || !is_ours()) return 0;
      struct event e = {};
      bpf_get_current_comm(e.comm, sizeof e.comm);
      e.number = __sync_fetch_and_add(&sent, 1) + 1;
      e.pid = bpf_get_current_pid_tgid() >> 32;
      bpf_ringbuf_output(&ring, &e, sizeof e, 0);
      bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &e, sizeof e);
      return 0;
    }
    """
  }

  private static let small = Result { try ObjectBench(buffers(padding: 36)) }
  private static let large = Result { try ObjectBench(buffers(padding: 300)) }

  private func expect(
    _ lua: String, command: String? = nil, options: [String] = [], prints lines: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try Self.shared.get().expect(
      lua, command: command, options: options, prints: lines, sourceLocation: sourceLocation)
  }

  // MARK: What is in an object

  @Test func catalogues() throws {
    try expect(
      """
      local function names(t) local n = {} for name in pairs(t) do n[#n + 1] = name end table.sort(n) print(table.concat(n, " ")) end
      names(p) names(m) names(g) print(p.on_call.name, o.name == arg[1])
      """,
      prints: """
        on_call on_return

        both calls colour fixed flag ignored label large list number step text workload
        on_call\ttrue
        """)
  }

  @Test func globalsBeforeTheLoad() throws {
    try expect(
      """
      print(g.step, g.label, g.flag, g.fixed.a, g.number, g.large == math.mininteger, g.both.b, g.list[3], g.colour, g.text)
      g.colour = "BLUE" g.step = 7 g.label = "xyz" g.flag = false g.fixed = {8, 9} g.number = 100 g.list = {4, 5} g.both = {a = 1}
      local function all() print(g.colour, g.step, g.label, g.flag, show(g.fixed), g.number, show(g.list), show(g.both)) end
      all() o:load() all()
      """,
      prints: """
        5\tabc\ttrue\t1\t-3\ttrue\t4\t3\tGREEN\thello
        BLUE\t7\txyz\tfalse\t{a=8 b=9}\t100\t{1=4 2=5 3=0}\t{a=1 b=0}
        BLUE\t7\txyz\tfalse\t{a=8 b=9}\t100\t{1=4 2=5 3=0}\t{a=1 b=0}
        """)
  }

  @Test func globalsAreSharedWithTheKernel() throws {
    try expect(
      """
      g.step = 2 o:load() g.number = 10 g.text = "bye" p.on_call:attach()
      at_exit(function() print(g.calls, g.number, g.text) end)
      """, command: "getppid 1000", prints: "1000\t2010\tbye")
  }

  @Test func constantsAfterTheLoad() throws {
    let bench = try Self.shared.get()
    let run = try bench.run("\no:load()\ng.step = 8")
    #expect(run.status == 1)
    #expect(
      run.errors == """
        (command line):3: \(bench.object): global 'step' is constant (in .rodata) once the object is loaded \
        (set it before the load, or declare it without const)

        """)
  }

  @Test func valuesThatGlobalsDoNotTake() throws {
    let place = "\(try Self.shared.get().object): global"
    try expect(
      """
      try(function() g.step = "x" end)
      try(function() g.step = 1 << 31 end)
      try(function() g.label = "123456789" end)
      try(function() g.flag = 3 end)
      try(function() g.fixed = {c = 1} end)
      try(function() g.list = {1, 2, 3, 4} end)
      try(function() g.step = nil end)
      try(function() g.colour = "PINK" end)
      """,
      prints: """
        (command line):1: \(place) 'step': expected an integer (s32), got a string
        (command line):2: \(place) 'step': expected -2147483648…2147483647 (s32), got 2147483648
        (command line):3: \(place) 'label': expected at most 8 bytes of text, got 9
        (command line):4: \(place) 'flag': expected true or false, got 3
        (command line):5: \(place) 'fixed': pair has no member 'c' (did you mean 'a'?)
        (command line):6: \(place) 'list': expected at most 3 elements, got one at 4
        (command line):7: \(place) 'step': expected an integer (s32), got nil
        (command line):8: \(place) 'colour': the enum has no value 'PINK'
        """)
  }

  @Test func valuesThatAreRefusedChangeNothing() throws {
    try expect(
      "print(pcall(function() g.list = {9, 8, 7, 6} end)) print(g.list[1], g.list[2], g.list[3])",
      prints: """
        false\t(command line):1: \(try Self.shared.get().object): global 'list': expected at most 3 elements, got one at 4
        1\t2\t3
        """)
  }

  // MARK: Attaching and letting go

  @Test func detachedProgramsRunNoMore() throws {
    try expect(
      """
      p.on_return:disable() o:attach() p.on_call:detach() p.on_call:detach()
      at_exit(function() print(g.calls, g.ignored) end)
      """, command: "getppid 100", prints: "0\t0")
  }

  @Test func disabledProgramsAreNotLoaded() throws {
    try expect(
      "p.on_return:disable() o:attach() at_exit(function() print(g.calls, g.ignored) end)",
      command: "getppid 100", prints: "100\t0")
    let object = try Self.shared.get().object
    try expect(
      """
      p.on_return:disable() o:load()
      try(function() p.on_return:attach() end)
      try(function() p.on_call:disable() end)
      """,
      prints: """
        (command line):2: \(object): program 'on_return' is not loaded (set its autoload before the object is loaded)
        (command line):3: \(object): program 'on_call': already loaded (set it before the object is loaded)
        """)
  }

  @Test func attachingInATimer() throws {
    try expect(
      """
      after(0.01, function() p.on_call:attach() end)
      every(0.02, function() if g.calls > 0 then print("counts") exit() end end)
      """, command: "getppid 100000000", prints: "counts")
  }

  @Test func attachingTwiceCountsOnce() throws {
    try expect(
      "o:attach() o:attach() at_exit(function() print(g.calls) end)", command: "getppid 100", prints: "100")
  }

  @Test func closing() throws {
    let object = try Self.shared.get().object
    try expect(
      """
      o:attach() o:close() o:close()
      try(function() return g.calls end)
      try(function() o:attach() end)
      try(function() p.on_call:attach() end)
      """,
      prints: """
        (command line):2: \(object): global 'calls': the object is closed
        (command line):3: \(object): load: the object is closed
        (command line):4: \(object): load: the object is closed
        """)
  }

  @Test func objectsSideBySide() throws {
    try expect(
      """
      local second = bpf.object(arg[1]) second.globals.workload = g.workload second.globals.step = 1
      p.on_call:attach() second.programs.on_call:attach()
      at_exit(function() print(g.calls, g.number, second.globals.calls, second.globals.number) end)
      """, command: "getppid 100", prints: "100\t497\t100\t97")
  }

  // MARK: Event buffers

  /// As many as there is room for in the perf buffer of one CPU, so that no delay loses any.
  @Test func ringAndPerfBufferDeliverEverything() throws {
    try Self.small.get().expect(
      """
      local count, total = {0, 0}, {0, 0}
      local function handler(i) return function(e) count[i] = count[i] + 1 total[i] = total[i] + e.number end end
      m.ring:each(handler(1)) m.perf:each(handler(2), "struct event")
      o:attach()
      at_exit(function() print(g.sent, count[1], count[2], total[1], total[2]) end)
      """, command: "getppid 2000", prints: "2000\t2000\t2000\t2001000\t2001000")
  }

  @Test func lossesOfPerfBuffersAreCounted() throws {
    let run = try Self.large.get().run(
      """
      local perf, ring = 0, 0
      m.ring:each(function() ring = ring + 1 end)
      m.perf:each(function() perf = perf + 1 for i = 1, 3000 do end end, "struct event")
      o:attach() at_exit(function() print(g.sent, ring, perf) end)
      """, command: "getppid 20000", options: ["--stats"])
    let numbers = run.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    try #require(numbers.count == 3, "\(run.output) \(run.errors)")
    #expect(numbers[0] == 20_000 && numbers[2] < numbers[0])
    let lost = 2 * numbers[0] - numbers[1] - numbers[2]
    #expect(run.errors.contains("events: \(numbers[1] + numbers[2]) delivered, \(lost) lost"), "\(run.errors)")
  }

  @Test func recordsThatNobodyCanRead() throws {
    let bench = try ObjectBench(
      """
      struct event { __u64 number; };
      struct other { __u64 number; };
      MAP(events, ARRAY, __u32, struct event, 1);
      MAP(others, ARRAY, __u32, struct other, 1);
      struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); }
        perf SEC(".maps");
      SEC("raw_tp/sys_enter") int on_call(struct bpf_raw_tracepoint_args *ctx) {
        if (ctx->args[1] != 110 || !is_ours()) return 0;
        struct event e = {5};
        bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &e, sizeof e);
        return 0;
      }
      """)
    let run = try bench.run("o:attach()", command: "getppid 1", options: ["-f", "json"])
    #expect(run.status == 0 && run.output.hasPrefix("{\"bytes\":\"0500000000000000"), "\(run.output)")
    #expect(
      run.errors == """
        \(bench.object): the records of 'perf' are shown as bytes, for nothing says how they read (add __type(value, struct \
        NAME) to the map's definition, or name it: each(fn, "struct NAME"))

        """)
    try bench.expect(
      """
      try(function() m.perf:each(print) end)
      try(function() m.perf:each(print, "struct evnt") end)
      try(function() m.perf:each("x") end)
      try(function() m.perf:each(print, 5) end)
      m.perf:each(function() end, "struct event")
      try(function() m.perf:each(print, "struct other") end)
      """,
      prints: """
        (command line):1: \(bench.object): nothing says how the records of 'perf' read (add __type(value, struct NAME) \
        to the map's definition, or name it: each(fn, "struct NAME"))
        (command line):2: \(bench.object): no type 'struct evnt' in its BTF (did you mean 'event'?) \
        (a type stays in the BTF when a map's definition names it: __type(value, struct NAME))
        (command line):3: each: expected a function, got string
        (command line):4: each: the record's type is a string such as "struct event", got number
        (command line):6: \(bench.object): the records of 'perf' are read as 'event' already \
        (give every handler of a buffer the same type)
        """)
  }

  @Test func aHandlerMayCloseItsObject() throws {
    let run = try Self.small.get().run(
      """
      local n = 0
      m.perf:each(function() end, "struct event")
      m.ring:each(function(e)
        n = n + 1
        if n == 5 then o:close() print(n, pcall(function() return e.number end)) end
      end)
      o:attach() at_exit(function() print(n) end)
      """, command: "getppid 1000")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.lines.first?.hasPrefix("5\tfalse\t(command line):5: stale event") == true, "\(run.output)")
    #expect(run.lines.last == "5")
  }

  // MARK: Objects as targets, and what they may do

  @Test func anObjectRunsDirectly() throws {
    let path = try BPFSource.compile(
      """
      struct event { int answer; };
      struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __type(value, struct event); } events SEC(".maps");
      SEC("raw_tp/sys_enter") int on_call(void *ctx) {
        struct event *e = bpf_ringbuf_reserve(&events, sizeof *e, 0);
        if (!e) return 0;
        e->answer = 42;
        bpf_ringbuf_submit(e, 0);
        return 0;
      }
      """)
    let run = try moontrace("-n", "3", "-f", "json", path)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines == Array(repeating: "{\"answer\":42}", count: 3))
  }

  @Test func errorsOfAnObjectThatRunsDirectly() throws {
    let path = try BPFSource.compile("SEC(\"raw_tp/sys_entr\") int on_call(void *ctx) { return 0; }")
    let run = try moontrace(path)
    #expect(run.status == 4)
    #expect(
      run.errors
        == "\(path): program 'on_call': this kernel has no raw tracepoint 'sys_entr' (did you mean 'sys_enter'?) "
        + "(--attach PROGRAM=SPEC puts it elsewhere, =none leaves it out)\n")
    let missing = try moontrace("/nonexistent/x.bpf.o")
    #expect(missing.status == 2 && missing.errors.contains("/nonexistent/x.bpf.o: No such file"))
    let executable = try moontrace(ObjectBench.anyWorkload)
    #expect(executable.status == 1 && executable.errors.contains("an ELF file for another machine"))
  }

  @Test func changingTheKernelNeedsACapability() throws {
    let signals = try BPFSource.compile(
      "SEC(\"raw_tp/sys_enter\") int on_call(void *ctx) { return is_ours() ? bpf_send_signal(10) : 0; }")
    let packets = try BPFSource.compile("SEC(\"xdp\") int on_packet(struct xdp_md *ctx) { return XDP_PASS; }")
    for (path, what) in [(signals, "sends signals to processes"), (packets, "decides what happens to packets")] {
      let script = "\nbpf.object(arg[1]):load() print('loaded')"
      let refused = try moontrace("-e", script, path)
      #expect(refused.status == 3)
      #expect(refused.errors.hasPrefix("(command line):2: \(path): program 'on_"), "\(refused.errors)")
      #expect(refused.errors.contains(what) && refused.errors.contains("--allow kernel.write"), "\(refused.errors)")
      #expect(try moontrace("--allow", "kernel.write", "-e", script, path).output == "loaded\n")
    }
  }

  @Test func anAllowedProgramSendsItsSignal() throws {
    let bench = try ObjectBench(
      "SEC(\"raw_tp/sys_enter\") int on_call(struct bpf_raw_tracepoint_args *ctx) "
        + "{ return ctx->args[1] == 110 && is_ours() ? bpf_send_signal(9) : 0; }")
    let run = try bench.run("o:attach()", command: "getppid 1000000000", options: ["--allow", "kernel.write"])
    #expect(run.status == 0, "\(run.errors)")
  }
}
