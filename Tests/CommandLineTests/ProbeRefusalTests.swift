import KernelTestSupport
import Testing

/// What is told of a probe that can't be compiled: the line, the cause, and what to write instead.
@Suite(.requires(.root)) struct ProbeRefusalTests {
  /// Lines of a probe function, and what is told of each.
  private static let mistakes = [
    ("table.insert({}, 1)", "a probe can't call 'table.insert'"),
    ("coroutine.yield()", "a probe can't call 'coroutine.yield'"),
    ("for _, v in pairs(names) do end", "a probe can't call 'pairs' (go through a list by number"),
    ("emit{ a = 1 }", "a probe can't call 'emit' (return { … }, or s:emit{ … }"),
    ("local m = map()", "a probe can't call 'map' (call it outside of the probe)"),
    ("return { n = strftime('%T') }", "(send the value, and call it in :each(function(e) … end))"),
    ("sums.add(5)", "attempt to call an aggregate value (a:add(v) or a[key]:add(v)"),
    ("sums[1] = 5", "a probe can't assign to an aggregate (a:add(v) or a[key]:add(v)"),
    ("return { sum = sums }", "field 'sum' of an event can't hold an aggregate value"),
    ("sums:add()", "add: expected a value to add"),
    ("calls:add(5)", "count() adds 1, whatever it is given (add() without a value, or sum() for numbers)"),
    ("both:add() both[pid]:add()", "'both' has a key in one place, and none in another (make two aggregates)"),
    ("s.emit{ a = 1 }", "attempt to index a stream value (s:emit{ … })"),
    ("held[{}] = 1", "a key can't be an empty list"),
    ("return pid, tid", "a probe sends one value, and 2 are returned here (return { … } with all of them)"),
    ("exit(256)", "an exit code is from 0 to 255, not 256"),
    ("exit(-1)", "an exit code is from 0 to 255, not -1"),
    ("lhist(pid, 10, 0, 1)", "lhist: expected low < high and a step above 0"),
    ("lhist(pid, 0, 1000000000, 1)", "from 0 to 1000000000 by 1 are more than 10000 buckets"),
    ("lhist(pid, math.mininteger, math.maxinteger, 1)", "are further apart than 64 bits hold"),
    ("return { n = #gaps }", "the length of a list with gaps can't be told in a probe (local n = #t outside)"),
    ("return { n = odd[1.5] }", "floats can't be used in a probe (use integers)"),
  ]

  private static let variables = """
    local sums, calls, both, held, s, names, gaps = sum(), count(), count(), map(), stream(), {}, { 1, [3] = 3 } \
    local odd = { [1] = 1.5 }

    """

  @Test func eachIsToldInItsLine() throws {
    let lines = Self.mistakes.map { "probe('u:libc:malloc', function(args) \($0.0) end)" }
    let run = try moontrace("check", "-", input: Self.variables + lines.joined(separator: "\n"))
    #expect(run.status == 1)
    let told = run.errors.split(separator: "\n")
    try #require(told.count == Self.mistakes.count, "\(run.errors)")
    for (index, (line, message)) in Self.mistakes.enumerated() {
      let place = "-:\(index + 2): "
      #expect(told[index].hasPrefix(place) && told[index].contains(message), "\(line): \(told[index])")
    }
  }

  @Test(arguments: [
    ("probe('u:libc:malloc', function() return { n = args.size } end)", "'args' is a probe function's parameter"),
    ("lhist(0, 1000000000, 1)", "more than 10000 buckets"), ("lhist(0, 10)", "step is nil"),
    ("lhist(math.mininteger, math.maxinteger, 1)", "further apart than 64 bits hold"),
    ("count():add()", "an aggregate takes values in a probe only: a:add(v) or a[key]:add(v)"),
    ("map{ max = 1.5 }", "max is an integer, not a float"), ("count{ max = true }", "max is an integer, not a boolean"),
    ("probe('u:libc:malloc', print, { optional = 1 })", "optional is a boolean, not an integer"),
    (
      "local m = map() m[{ 1 }] = 1 probe('u:libc:malloc', function() m[1] = 1 end)",
      "map 'm': key: expected an integer (s64), got a table"
    ),
    (
      "local t = setmetatable({}, { __index = { n = 5 } }) probe('u:libc:malloc', function() return { n = t.n } end)",
      "attempt to index a table value (it has a metatable, which probes can't run"
    ),
    (
      "local m = map() m[1], m[2] = 1, 'x' probe('u:libc:malloc', function() return { v = m[1] } end)",
      "map 'm': what is stored in it: they are of several types"
    ),
    (
      "probe('u:libc:malloc', function() return { \((0..<20).map { "f\($0) = str(arg0, 4096)" }.joined(separator: ",")) } end)",
      "KiB for its text and records; the kernel grants 32 KiB (read less text"
    ),
  ])
  func isToldOf(_ script: String, _ message: String) throws {
    let run = try moontrace("-d", "1", "-e", script)
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("(command line):1: ") && run.errors.contains(message), "\(run.errors)")
  }

  /// A breakpoint behind the function would be written into the middle of another one's instruction.
  @Test func placesOutsideOfAFunction() throws {
    let run = try moontrace("-d", "1", "-e", "probe('u:libc:malloc+99999', function() count() end)")
    #expect(run.status != 0)
    #expect(run.errors.contains("malloc+99999 is not in") && run.errors.contains("which has"), "\(run.errors)")
  }

  @Test func codesThatOnlyTheRunShows() throws {
    let run = try moontrace(
      "-c", "sh -c 'kill -0 $$'", "-e", "probe('t:syscalls:sys_enter_kill', function() exit(pid + 256) end)")
    #expect(run.status == 0)
    #expect(run.errors.contains(":1: exit: an exit code is from 0 to 255 ("), "\(run.errors)")
  }
}
