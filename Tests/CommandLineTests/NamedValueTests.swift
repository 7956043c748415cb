import Glibc
import KernelTestSupport
import Support
import Testing

/// What probes send as words and numbers, and a user reads as names: bytes, stacks, enums.
@Suite(.requires(.root, .typeInformation))
struct NamedValueTests {
  let workload: Workload

  init() throws {
    workload = try Workload()
  }

  @Test func bytesReachTheHandlerWhole() throws {
    let run = try workload.trace(
      "getppid 1",
      """
      local kept = map()
      probe("t:syscalls:sys_enter_execve", function(args)
        local name = buf(args.filename, 6)
        if name then kept[pid] = { all = buf(args.filename, tid - tid + 20, 20), cut = str(name, 4) } end
      end)
      probe("t:syscalls:sys_enter_getppid", function(args)
        if comm ~= "NAME" then return end
        local k = kept[pid]
        return { pid = pid, zeros = buf(cast("struct sock", 8), 4), name = buf(curtask.mm, 1) ~= nil, all = k and k.all }
      end):each(function(e)
        local k = kept[e.pid]
        print(e.zeros, e.name, #e.all, k.all == e.all, k.cut == e.all:sub(1, 4))
      end)
      """)
    #expect(run.output == "nil\ttrue\t20\ttrue\ttrue\n", "\(run.errors)")
  }

  private static let stacks = """
    local function check(e)
      local first = e.all:match("^[^\\n]+")
      local _, lines = e.three:gsub("[^\\n]+", "")
      local own = e.all:find("bpf_") or e.all:find("__traceiter")
      -- Other programs at the same tracepoint, such as those of other tests, take up to two frames.
      print(e.one == first or e.one == "", lines >= 1 and lines <= 3, e.three == e.all:sub(1, #e.three), own)
    end
    """

  @Test(arguments: ["t:raw_syscalls:sys_enter", "rt:sys_enter"])
  func stacksBeginWithTheTracedFunction(_ spec: String) throws {
    let run = try workload.trace(
      "getppid 1",
      """
      \(Self.stacks)
      probe("\(spec)", function(args)
        if comm ~= "NAME" or args.id ~= 110 then return end
        local sum = 0
        for i = 1, 2 do if i == 2 then return { one = kstack(1), three = kstack(3), all = kstack() } end end
      end):each(check)
      """)
    #expect(run.output == "true\ttrue\ttrue\tnil\n", "\(run.errors)")
  }

  /// The frames of the kernel's own work on system calls take no room.
  @Test(arguments: ["enter", "exit"]) func stacksOfSystemCallsHaveAllFrames(_ end: String) throws {
    let run = try workload.trace(
      "getppid 1",
      """
      probe("t:syscalls:sys_\(end)_getppid", function()
        if comm == "NAME" then return { one = kstack(1), two = kstack(2), all = kstack } end
      end):each(function(e)
        print(e.one == e.all:match("^[^\\n]+"), e.two == e.all:match("^[^\\n]+\\n[^\\n]+"))
      end)
      """)
    #expect(run.output == "true\ttrue\n", "\(run.errors)")
  }

  @Test func shallowStacksAreCountedTogether() throws {
    let run = try workload.trace(
      "getppid 1000",
      """
      local calls = count()
      probe("rt:sys_enter", function(args)
        if comm == "NAME" and args.id == 110 then calls[kstack(1)]:add(1) end
      end)
      at_exit(function()
        local sum, rows = 0, calls:rows()
        for _, row in ipairs(rows) do sum = sum + row.value end
        print(sum, #rows <= 3)
        calls:clear()
      end)
      """)
    #expect(run.lines.first == "1000\ttrue", "\(run.output) \(run.errors)")
  }

  private static let timers = """
    probe("t:timer:hrtimer_start", function(args)
      if comm == "NAME" and args.mode == 1 then return { mode = args.mode, n = args.mode | 0 } end
    end)
    """

  @Test(arguments: [
    ("json", #"{"mode":"HRTIMER_MODE_REL","n":1}"#), ("csv", "HRTIMER_MODE_REL,1"),
    ("table", "HRTIMER_MODE_REL                    1"),
  ])
  func enumsPrintTheirNames(_ format: String, _ row: String) throws {
    let run = try workload.trace("sleep 1", Self.timers, "-f", format)
    #expect(run.lines.contains(row), "\(run.output) \(run.errors)")
  }

  @Test func enumsHaveTheirNamesInHandlers() throws {
    let run = try workload.trace(
      "sleep 1",
      Self.timers + ":each(function(e) print(e.mode, e.n) end)")
    #expect(run.lines.contains("HRTIMER_MODE_REL\t1"), "\(run.output) \(run.errors)")
  }
}
