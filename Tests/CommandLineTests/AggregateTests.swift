import KernelTestSupport
import Testing

/// Aggregates that are read, emptied and shown while probes feed them, on the live kernel.
@Suite(.requires(.root))
struct AggregateTests {
  /// This test's own workload, under a name that no other process has.
  let workload: Workload

  init() throws {
    workload = try Workload()
  }

  // MARK: Emptying

  /// Two processes on two CPUs, so that counts and reads meet.
  @Test func drainsLoseNothing() throws {
    let run = try workload.trace(
      "getppid 3000000 >/dev/null & \(workload.path) getppid 1000000 >/dev/null; wait",
      """
      local n, k, h, s, least = count(), count(), hist(), stats(), min()
      probe("t:syscalls:sys_enter_getppid", function()
        if comm ~= "NAME" then return end
        n:add() k[{ comm, cpu }]:add() h[comm]:add(5) s[pid]:add(3) least[cpu]:add(7)
      end)
      local N, K, H, S, SUM = 0, 0, 0, 0, 0
      local function take()
        for _, r in ipairs(n:drain()) do N = N + r.value end
        for _, r in ipairs(k:drain()) do K = K + r.value end
        for _, r in ipairs(h:drain()) do for _, b in ipairs(r.value) do H = H + b.count end end
        for _, r in ipairs(s:drain()) do
          S, SUM = S + r.value.count, SUM + r.value.sum
          assert(r.value.min == 3 and r.value.max == 3)
        end
        for _, r in ipairs(least:drain()) do assert(r.value == 7) end
      end
      every(0.05, take)
      at_exit(function() take() print(N, K, H, S, SUM, #k:rows(), #s:rows(), #least:rows()) end)
      """)
    #expect(run.output == "4000000\t4000000\t4000000\t4000000\t12000000\t0\t0\t0\n", "\(run.errors)")
  }

  @Test func printingAndClearingCountsAllToo() throws {
    let run = try workload.trace(
      "getppid 1000000",
      """
      local calls = count()
      probe("t:syscalls:sys_enter_getppid", function() if comm == "NAME" then calls[comm]:add() end end)
      local function show() for _, r in ipairs(calls:drain()) do printf("%d\\n", r.value) end end
      every(0.02, show)
      at_exit(show)
      """)
    let counts = run.lines.compactMap { Int($0) }
    #expect(counts.reduce(0, +) == 1_000_000 && counts.count > 1, "\(run.errors)")
  }

  /// Least and greatest values start over with each drain, though the element stays.
  @Test(arguments: ["", "[comm]"]) func extremesStartOver(_ key: String) throws {
    let run = try workload.trace(
      "ftruncate 1000",
      """
      local s, least, most = stats(), min(), max()
      probe("t:syscalls:sys_enter_ftruncate", function(args)
        if comm ~= "NAME" or args.fd == -1 or args.length == 1000 then return end
        s\(key):add(args.length) least\(key):add(args.length) most\(key):add(args.length)
        if args.length == 500 then return { n = 1 } end
      end):each(function()
        first = { s = s:drain()[1].value, least = least:drain()[1].value, most = most:drain()[1].value }
      end)
      at_exit(function()
        local last = (s:drain()[1] or { value = { count = 0, sum = 0, min = 999, max = 999 } }).value
        print(first.s.count + last.count, first.s.sum + last.sum, first.s.min, first.least, last.max)
        print(last.min > 500 and first.s.max >= 500 and first.most >= 500)
        local rest = least:drain()[1]
        print((rest and rest.value or 999) > 500)
      end)
      """)
    #expect(run.output == "1000\t499500\t0\t0\t999\ntrue\ntrue\n", "\(run.errors)")
  }

  // MARK: What the end prints

  @Test(arguments: ["a:rows()", "a:drain()", "a:print()", "a:rows() a:clear()", "a:print() a:clear()"])
  func whatTheScriptHasShownTheEndDoesNotPrint(_ shows: String) throws {
    let run = try workload.trace(
      "getppid 10",
      """
      local a = count()
      probe("t:syscalls:sys_enter_getppid", function() if comm == "NAME" then a[comm]:add() end end)
      at_exit(function() \(shows) print("shown") end)
      """)
    #expect(run.lines.last == "shown", "\(run.output) \(run.errors)")
  }

  @Test func readingOneValueIsNotShowingAll() throws {
    let run = try workload.trace(
      "getppid 10",
      """
      local a = count()
      probe("t:syscalls:sys_enter_getppid", function() if comm == "NAME" then a[comm]:add() end end)
      at_exit(function() print(a["NAME"]) end)
      """)
    #expect(run.lines.first == "10" && run.lines.count == 3, "\(run.output) \(run.errors)")
  }

  // MARK: Stacks

  /// The process has ended when the rows are printed.
  @Test(arguments: [
    "local a = count() probe('profile:99', function() if comm == 'NAME' then a[ustack]:add() end end)",
    """
    local m = map()
    probe('profile:99', function() if comm == 'NAME' then m[nsecs] = { stack = ustack } end end)
    at_exit(function() for _, v in pairs(m) do print(v.stack) end end)
    """,
  ])
  func stacksOfEndedProcessesAreNamed(_ script: String) throws {
    let run = try workload.trace("spin 0.5", script)
    #expect(run.output.contains("workload_spin+"), "\(run.output) \(run.errors)")
  }
}
