import Glibc
import KernelTestSupport
import Support
import Testing

/// Probes written in Lua, on the live kernel, with a workload that does a known number of known things.
@Suite(.requires(.root))
struct ProbeTests {
  /// This test's own workload, under a name that no other process has.
  let workload: Workload

  init() throws {
    workload = try Workload()
  }

  // MARK: The example of the specification

  private static let opensnoop = """
    recipe {
      name = "opensnoop",
      summary = "Trace file opens and their result",
      options = {
        { name = "pid", short = "p", type = "integer", help = "trace only this process" },
        { name = "failed", short = "x", type = "boolean", help = "show only failed opens" },
      },
    }

    local started = map()

    probe("tracepoint:syscalls:sys_enter_openat", function(args)
      if opt.pid and pid ~= opt.pid then return end
      started[tid] = { file = args.filename, at = nsecs }
    end)

    probe("tracepoint:syscalls:sys_exit_openat", function(args)
      local s = started[tid]
      if not s then return end
      started[tid] = nil
      if opt.failed and args.ret >= 0 then return end
      return { pid = pid, comm = comm, ret = args.ret, us = (nsecs - s.at) // 1000, path = str(s.file) }
    end):each(function(e)
      if e.comm == "NAME" then printf("%-16s %4d %s\\n", e.comm, e.ret, e.path) end
    end)
    """

  @Test func opensnoopOfTheSpecification() throws {
    let directory = try TemporaryDirectory()
    let there = try directory.write("there", "")
    let run = try workload.trace("open \(there) \(directory.path("nothing"))", Self.opensnoop)
    #expect(run.status == 0, "\(run.errors)")
    let name = workload.name + String(repeating: " ", count: 16 - workload.name.utf8.count)
    let lines = run.lines.filter { $0.contains(directory.name) }
    // Which descriptor the first free one is, the test's own decide.
    #expect(lines.count == 2 && lines[0].hasPrefix("\(name)    ") && lines[0].hasSuffix(" \(there)"), "\(lines)")
    #expect(lines.last == "\(name)   -2 \(directory.path("nothing"))")
  }

  // MARK: Events

  private static let opens = """
    probe("tracepoint:syscalls:sys_enter_openat", function(args)
      if comm == "NAME" then return { comm = comm, path = str(args.filename), even = args.dfd % 2 == 0 } end
    end)
    """

  @Test(arguments: ["table", "json", "csv"])
  func eventsWithoutAHandlerPrintThemselves(_ format: String) throws {
    let run = try workload.trace("open /no/such/file", Self.opens, "-f", format)
    #expect(run.status == 0, "\(run.errors)")
    let (name, path) = (workload.name, "/no/such/file")
    func wide(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.utf8.count) }
    let (header, row) =
      switch format {
      case "table": ("\(wide("COMM", 16)) \(wide("PATH", 32)) EVEN", "\(wide(name, 16)) \(wide(path, 32)) true")
      case "csv": ("comm,path,even", "\(name),\(path),true")
      default: ("", #"{"comm":"\#(name)","path":"\#(path)","even":true}"#)
      }
    #expect(format == "json" || run.lines.first == header)
    #expect(run.lines.filter { $0.contains(path) } == [row])
  }

  @Test func streamsKeepTheOrderOfEvents() throws {
    let run = try workload.trace(
      "getppid 1000",
      """
      local last, wrong, count = 0, 0, 0
      local g = global{ n = 0 }
      local one, two = stream(), stream()
      probe("tracepoint:syscalls:sys_enter_getppid", function()
        if comm ~= "NAME" then return end
        g.n = g.n + 1
        if g.n % 2 == 0 then one:emit{ n = g.n } else two:emit{ n = g.n, odd = true } end
      end)
      local function check(e) count = count + 1 if e.n ~= last + 1 then wrong = wrong + 1 end last = e.n end
      one:each(check)
      two:each(check)
      at_exit(function() print(count, wrong, g.n) end)
      """)
    #expect(run.output == "1000\t0\t1000\n", "\(run.errors)")
  }

  @Test func printfFormatsInUserSpace() throws {
    let run = try workload.trace(
      "getppid 2",
      """
      probe("tracepoint:syscalls:sys_enter_getppid", function()
        if comm == "NAME" then printf("%s %05d %x\\n", comm, 42, 255) print(comm, 7, true) end
      end)
      """)
    let lines = "\(workload.name) 00042 ff\n\(workload.name)\t7\ttrue\n"
    #expect(run.output == lines + lines, "\(run.errors)")
  }

  @Test func probesOfOneEventRunInSourceOrder() throws {
    let run = try workload.trace(
      "getppid 1",
      (1...4).map {
        """
        probe("tracepoint:syscalls:sys_enter_getppid", function() if comm == "NAME" then print(\($0)) end end)
        """
      }.joined(separator: "\n"))
    #expect(run.output == "1\n2\n3\n4\n", "\(run.errors)")
  }

  // MARK: Maps and aggregates

  @Test func bothHalvesShareMapsAndGlobals() throws {
    let run = try workload.trace(
      "getppid 100",
      """
      local limits, seen, g = map(), map{ max = 64 }, global{ calls = 5, on = true }
      limits["NAME"] = 10
      probe("tracepoint:syscalls:sys_enter_getppid", function()
        local limit = limits[comm]
        if not limit or not g.on then return end
        g.calls = g.calls + 1
        local key = { comm, g.calls % limit }
        seen[key] = (seen[key] or 0) + 1
      end)
      at_exit(function()
        local sum = 0
        for key, n in pairs(seen) do sum = sum + n assert(key[1] == "NAME" and n == 10 and seen[key] == 10) end
        print(g.calls, #seen, sum, seen[{ "NAME", 3 }], seen[{ "NAME", 10 }])
        print(#seen:drain(), #seen)
      end)
      """)
    #expect(run.output == "105\t10\t100\t10\tnil\n10\t0\n", "\(run.errors)")
  }

  private static let aggregates = """
    local calls, sizes, by_name, both = count(), lhist(0, 4, 1), sum(), stats()
    local g = global{ n = 0 }
    probe("tracepoint:syscalls:sys_enter_getppid", function()
      if comm ~= "NAME" then return end
      g.n = g.n + 1
      calls:add()
      sizes:add(g.n % 5)
      by_name[{ comm, g.n % 2 }]:add(g.n)
      both:add(g.n)
    end)
    """

  @Test func aggregatesPrintAtTheEnd() throws {
    let run = try workload.trace("getppid 100", Self.aggregates, "-f", "json")
    #expect(
      run.lines == [
        #"{"aggregate":"calls","type":"count","data":[{"key":[],"value":100}]}"#,
        #"{"aggregate":"sizes","type":"lhist","data":[{"key":[],"value":["#
          + (0...3).map { "{\"count\":20,\"max\":\($0),\"min\":\($0)}," }.joined()
          + #"{"count":20,"max":9223372036854775807,"min":4}]}]}"#,
        #"{"aggregate":"by_name","type":"sum","data":[{"key":["\#(workload.name)",0],"value":2550},"#
          + #"{"key":["\#(workload.name)",1],"value":2500}]}"#,
        #"{"aggregate":"both","type":"stats","data":[{"key":[],"value":"#
          + #"{"avg":50.5,"count":100,"max":100,"min":1,"sum":5050}}]}"#,
      ], "\(run.errors)")
  }

  @Test func whatWasPrintedIsNotPrintedAgain() throws {
    let run = try workload.trace(
      "getppid 10",
      Self.aggregates + """

        at_exit(function()
          for _, a in ipairs{ calls, sizes, by_name, both } do a:clear() a:print() end
        end)
        """)
    #expect(run.lines.first == "calls: 0")
    #expect(run.lines.count { $0.contains("calls") } == 1)
  }

  @Test func oneLinersPrintTheirAggregate() throws {
    let run = try workload.trace(
      "getppid 30",
      "probe('tracepoint:syscalls:sys_enter_getppid', function() if comm == 'NAME' then count(comm) end end)")
    #expect(run.lines.count == 2, "\(run.output) \(run.errors)")
    #expect(run.lines.last?.hasSuffix(" 30") == true)
  }

  // MARK: Errors

  @Test func runsThatEndWithAnErrorAreCounted() throws {
    let run = try workload.trace(
      "getppid 12",
      """
      probe("tracepoint:syscalls:sys_enter_getppid", function()
        if comm == "NAME" then return { n = 1 // (pid - pid) } end
      end)
      """)
    #expect(run.status == 0)
    #expect(run.errors.contains("x.lua:2: attempt to perform 'n//0' (12 runs ended here)"), "\(run.errors)")
    #expect(run.output == "")
  }

  private static let openat = "tracepoint:syscalls:sys_enter_openat"

  @Test(arguments: [
    (
      "probe('tracepoint:syscalls:sys_enter_opnat', function() end)", 4,
      "x.lua:1: this kernel has no tracepoint syscalls:sys_enter_opnat (did you mean 'sys_enter_openat'?)"
    ),
    (
      "probe('\(openat)', function(args)\n return { p = args.filname } end)", 1,
      "x.lua:2: \(openat) has no argument 'filname' (did you mean 'filename'?)"
    ),
    (
      "probe('\(openat)', function() return { p = opt.x } end)", 1,
      "x.lua:1: opt.x: this script has no recipe header that declares its options"
    ),
    (
      "recipe{ name = 'x', summary = 'x', options = {{ name = 'all', type = 'boolean' }} }\n"
        + "probe('\(openat)', function() return { p = opt.al } end)", 1,
      "x.lua:2: the recipe has no option 'al' (did you mean 'all'?)"
    ),
    (
      "probe('tracepint:a:b', function() end)", 1,
      "x.lua:1: 'tracepint:a:b': no probe is called 'tracepint' (did you mean 'tracepoint'?)"
    ),
  ])
  func mistakesAreToldAtRegistration(_ script: String, _ status: Int, _ message: String) throws {
    let directory = try TemporaryDirectory()
    let run = try moontrace(try directory.write("x.lua", script))
    #expect(Int(run.status) == status)
    #expect(run.errors.hasPrefix(message), "\(run.errors)")
  }

  @Test func theFirstPlaceThatWorksIsTaken() throws {
    let run = try workload.trace(
      "getppid 3",
      """
      probe({ "tracepoint:no:such", "tracepoint:syscalls:sys_enter_getppid", "tracepoint:syscalls:sys_exit_getppid" },
        function() if comm == "NAME" then print(probe) end end, { first = true })
      probe("tracepoint:no:such", function() print("never") end, { optional = true })
      """)
    #expect(run.output == String(repeating: "tracepoint:syscalls:sys_enter_getppid\n", count: 3), "\(run.errors)")
  }

  @Test func globsAttachToAllThatMatch() throws {
    let run = try workload.trace(
      "getppid 5",
      """
      local names = count()
      probe("tracepoint:syscalls:sys_*_getppid", function() if comm == "NAME" then names[probe]:add(1) end end)
      local total = count()
      probe("tracepoint:syscalls:sys_*_getppid", function() if comm == "NAME" then total:add(1) end end)
      """, "-f", "json")
    #expect(
      run.lines == [
        #"{"aggregate":"names","type":"count","data":[{"key":["tracepoint:syscalls:sys_enter_getppid"],"value":5},"#
          + #"{"key":["tracepoint:syscalls:sys_exit_getppid"],"value":5}]}"#,
        #"{"aggregate":"total","type":"count","data":[{"key":[],"value":10}]}"#,
      ], "\(run.errors)")
  }

  @Test func iteratorsRunOnceAndEnd() throws {
    let run = try moontrace(
      "-f", "json", "-e",
      """
      probe("iter:task", function(args)
        local task = args.task
        if task and task.pid == \(getpid()) then return { pid = task.pid, tgid = task.tgid } end
      end)
      """)
    #expect(run.output == "{\"pid\":\(getpid()),\"tgid\":\(getpid())}\n", "\(run.errors)")
    #expect(run.status == 0)
  }

  // MARK: Losses

  @Test func whatTheBufferHasNoRoomForIsCounted() throws {
    let run = try workload.trace(
      "getppid 200000",
      """
      local got, g = 0, global{ sent = 0 }
      probe("tracepoint:syscalls:sys_enter_getppid", function()
        if comm ~= "NAME" then return end
        g.sent = g.sent + 1
        return { n = g.sent, text = "so that the buffer is full soon" }
      end):each(function(e) got = got + 1 end)
      at_exit(function() print(g.sent, got) end)
      """, "--buffer", "4K")
    let counts = run.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    try #require(counts.count == 2 && counts[0] == 200_000, "\(run.output) \(run.errors)")
    let lost = counts[0] - counts[1]
    #expect(lost == 0 || run.errors.contains("lost \(lost) of 200000 events in all"), "\(run.errors)")
  }

  @Test(.requires(.nativeSpeed)) func twoMillionEventsArriveWithTheDefaultBuffer() throws {
    let run = try workload.trace(
      "getppid 2000000",
      """
      local count, sum = 0, 0
      probe("tracepoint:syscalls:sys_enter_getppid", function()
        if comm == "NAME" then return { at = nsecs, cpu = cpu, pid = pid, one = 1 } end
      end):each(function(e) count = count + 1 sum = sum + e.one end)
      at_exit(function() print(count, sum) end)
      """)
    #expect(run.output == "2000000\t2000000\n", "\(run.errors)")
  }

  // MARK: --dump

  @Test(arguments: [("bytecode", "GETTABUP"), ("ir", "probe:"), ("bpf", "call bpf_get_current_comm#16")])
  func stagesOfTheCompilerAreShown(_ stage: String, _ part: String) throws {
    let directory = try TemporaryDirectory()
    let run = try moontrace("--dump", stage, try directory.write("x.lua", Self.opens))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.first == "tracepoint:syscalls:sys_enter_openat")
    #expect(run.output.contains(part))
    #expect(stage == "bytecode" || run.output.contains("x.lua:2"))
  }
}
