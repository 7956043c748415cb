import KernelTestSupport
import Testing

/// How the records of probes are put together, read and printed.
@Suite(.requires(.root))
struct RecordTests {
  /// This test's own workload, under a name that no other process has.
  let workload: Workload

  init() throws {
    workload = try Workload()
  }

  /// A list that is an event reads by positions, in the view, in a copy and in `pairs`.
  @Test func listsReadByPosition() throws {
    let run = try workload.trace(
      "getppid 1",
      """
      probe("t:syscalls:sys_enter_getppid", function()
        if comm == "NAME" then return { 7, { a = 8 }, "x" } end
      end):each(function(e)
        local copy, sum = e:copy(), 0
        for position in pairs(e) do sum = sum + math.tointeger(position) end
        print(e[1], e[2].a, e[3], copy[1], copy[2].a, copy[3], #copy, sum)
      end)
      """)
    #expect(run.output == "7\t8\tx\t7\t8\tx\t3\t6\n", "\(run.errors)")
  }

  /// Integer types by the names that C gives them, whatever the kernel's compiler calls them in BTF.
  @Test func integersAreCastAsInC() throws {
    let types = [
      "short", "unsigned short", "long", "unsigned long", "long int", "long unsigned int", "unsigned", "signed",
      "long long", "unsigned long long", "signed char", "const unsigned int",
    ]
    let reads = types.enumerated().map { "f\($0.offset) = cast(\"\($0.element)\", curtask)[0] ~= nil" }
    let run = try workload.trace(
      "getppid 1",
      """
      probe("t:syscalls:sys_enter_getppid", function()
        if comm == "NAME" then return { \(reads.joined(separator: ", ")) } end
      end)
      """, "-f", "csv")
    let all = Array(repeating: "true", count: types.count).joined(separator: ",")
    #expect(run.lines.last == all, "\(run.output) \(run.errors)")
  }

  /// Records of several shapes in one stream: one header, and nil for what a record lacks.
  @Test(arguments: ["table", "json", "csv", "handler"])
  func recordsOfOneStreamAreOneTable(_ format: String) throws {
    let run = try workload.trace(
      "getppid 1",
      """
      local out = stream()
      for _, call in ipairs{ "a", "a longer name" } do
        probe("t:syscalls:sys_enter_getppid", function() if comm == "NAME" then out:emit{ event = call } end end)
      end
      probe("t:syscalls:sys_exit_getppid", function()
        if comm == "NAME" then out:emit{ ret = 5, k = opt.pid and kstack or nil } end
      end)
      \(format == "handler" ? "out:each(function(e) print(e.event, e.ret, e.k) end)" : "")
      """, "-f", format == "handler" ? "table" : format)
    let expected =
      switch format {
      case "table":
        [
          "EVENT                     RET K", "a                           - -", "a longer name               - -",
          "-                           5 -",
        ]
      case "csv": ["event,ret,k", "a,,", "a longer name,,", ",5,"]
      case "handler": ["a\tnil\tnil", "a longer name\tnil\tnil", "nil\t5\tnil"]
      default:
        [
          #"{"event":"a","ret":null,"k":null}"#, #"{"event":"a longer name","ret":null,"k":null}"#,
          #"{"event":null,"ret":5,"k":null}"#,
        ]
      }
    #expect(run.lines == expected, "\(run.errors)")
  }

  @Test func rowsEndWithoutBlanks() throws {
    let run = try workload.trace(
      "getppid 1",
      """
      probe("t:syscalls:sys_enter_getppid", function() if comm == "NAME" then return { n = 1, text = "" } end end)
      at_exit(function() emit({ n = 1, text = "" }, { "n", "text" }) end)
      """)
    #expect(run.lines == ["           N TEXT", "           1", "       N TEXT", "       1"])
  }

  @Test func formattingErrorsNameTheLineOfTheProbe() throws {
    let run = try workload.trace(
      "getppid 1",
      """
      probe("tracepoint:syscalls:sys_enter_getppid", function()
        if comm == "NAME" then

          printf("%d\\n", comm) end
      end)
      """)
    #expect(
      run.errors.hasPrefix("x.lua:4: bad argument #2 to 'printf' in a probe (number expected, got string)"),
      "\(run.errors)")
  }
}
