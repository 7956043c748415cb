import LuaRuntime
import Support
import Testing

@testable import ProbeCompiler
@testable import Tracing

/// What scripts can do with maps, globals and streams before anything is in the kernel, and what the compiler sees.
@Suite struct ScriptTests {
  let harness: SessionHarness

  init() throws { harness = try SessionHarness(pid: 42) }

  private var host: ScriptHost { harness.session.probes.host }
  private var schema: ProbeSchema { harness.session.probes.compiler.schema }

  // MARK: What the compiler sees

  /// The values of the upvalues of the global function `f`.
  private func upvalues(_ script: String) throws -> [HostValue] {
    try harness.run(script)
    guard case .function(let function) = host.global("f") else { return [] }
    return try host.prototype(of: function).upvalues.indices.map { host.upvalue(of: function, at: $0) }
  }

  @Test func objectsAreKnownByTheirNumbers() throws {
    let values = try upvalues(
      """
      local a, b, m, s, g = count(), hist(), map(), stream(), global{ n = 1 }
      function f() return b, m, s, g, a, map, print end
      """)
    #expect(values == [.aggregate(1), .map(0), .stream(0), .globals(0), .aggregate(0), .environment])
    #expect(schema.streamCount == 1)
    #expect(schema.aggregates.map(\.function) == [.count, .histogram])
    #expect(schema.globals == [.init(fields: [.init(name: "n", type: .integer)])])
  }

  @Test func functionsOfTheAPIAreNotTheScripts() throws {
    try harness.run("local m = map()")
    #expect(host.global("map") == .library("map"))
    #expect(host.global("print") == .library("print"))
    #expect(host.global("never_used") == .nil)
    #expect(host.global("hist") == .nil)  // loaded when it is first named
  }

  @Test func objectsAreNamedAfterVariables() throws {
    try harness.run(
      """
      local started = map()
      by_name = count()
      local given = sum{ name = "bytes read" }
      pcall(probe, "tracepoint:no:such", function() end)
      """)
    #expect(schema.maps.map(\.name) == ["started"])
    #expect(schema.aggregates.map(\.name) == ["by_name", "bytes read"])
  }

  @Test func optionsReadAsInTheUserHalf() throws {
    try harness.run(
      """
      recipe{ name = "x", summary = "x", options = {
        { name = "all", type = "boolean" }, { name = "min-ms", type = "integer" }, { name = "size", type = "size", default = "4K" },
      } }
      """)
    guard case .table(let options) = host.global("opt") else {
      Issue.record("opt is no table")
      return
    }
    #expect(host.field(of: options, name: Array("size".utf8)) == .integer(4096))
    #expect(host.field(of: options, name: Array("min_ms".utf8)) == .nil)
    #expect(host.field(of: options, name: Array("pid".utf8)) == .integer(42))
    #expect(host.takeOptionProblem() == nil)
    #expect(host.field(of: options, name: Array("siz".utf8)) == .nil)
    #expect(host.takeOptionProblem()?.message == "the recipe has no option 'siz' (did you mean 'size'?)")
    #expect(host.takeOptionProblem() == nil)
  }

  @Test func withoutAHeaderThereIsOnlyThePID() throws {
    try harness.run("x = opt.pid")
    guard case .table(let options) = host.global("opt") else {
      Issue.record("opt is no table")
      return
    }
    #expect(host.field(of: options, name: Array("pid".utf8)) == .integer(42))
    #expect(host.field(of: options, name: Array("all".utf8)) == .nil)
    #expect(host.takeOptionProblem()?.message.contains("no recipe header") == true)
  }

  @Test func mentionsAreFoundInAllThatAFunctionReaches() throws {
    try harness.run(
      """
      local function deep() return probe_name, func end
      function by_global() return deep() end
      function f() return function() return by_global() end end
      function plain() return pid end
      """)
    guard case .function(let f) = host.global("f"), case .function(let plain) = host.global("plain") else {
      Issue.record("no functions")
      return
    }
    #expect(host.mentions("probe_name", in: f))
    #expect(!host.mentions("probe_name", in: plain))
  }

  // MARK: Mistakes

  @Test(arguments: [
    ("probe(1, print)", "probe: expected a probe spec such as \"tracepoint:sched:sched_switch\", got number"),
    ("probe({}, print)", "probe: the list of probe specs is empty"),
    ("probe({1}, print)", "probe: spec 1 is no string but a number"),
    ("probe('tracepoint:sched:sched_switch')", "probe: expected a function, got nil"),
    (
      "probe('tracepoint:sched:sched_switch', print)",
      "probe: expected a function written in Lua as the second argument"
    ),
    (
      "probe('t:a:b', function() end, { optinal = true })",
      "probe: there is no option 'optinal' (did you mean 'optional'?)"
    ),
    ("probe('t:a:b', function() end, { first = 1 })", "probe: first is a boolean, not an integer"),
    ("map{ max = 0 }", "map: max is a number of entries from 1 to 268435456, not 0"),
    (
      "map{ key = 'float' }",
      "map: key: no type is 'float' "
        + "(write 0, true, \"\" or \"string(64)\", a list of types, or a table of types by name)"
    ),
    ("map{ max = 1 }[1] = 2", "no error"),
    ("local m = map{ max = 1 }; m[1] = 1; m[2] = 2", "map: full (max is 1)"),
    ("map():set(nil, 1)", "map: a key can't be nil"),
    ("global{}", "global: expected a table of names and initial values"),
    ("global{ x = {} }", "global: 'x' is an integer or a boolean, not a table (keep text and tables in a map{})"),
    ("lhist(1, 2)", "lhist: expected integers: lhist(low, high, step); step is nil"),
    ("lhist(10, 1, 1)", "lhist: expected low < high and a step above 0"),
    ("count().x = 1", "an aggregate takes values in a probe only: a:add(v) or a[key]:add(v)"),
    ("count{ max = 0 }", "count: max is a number above 0, not 0"),
    ("stream():each(1)", "each: expected a function, got number"),
  ])
  func mistakesNameTheirLine(_ script: String, _ message: String) {
    #expect(harness.error(script) == (message == "no error" ? message : "x.lua:1: \(message)"))
  }

  // MARK: Maps before they are in the kernel

  @Test func mapsKeepWhatTheUserHalfStores() throws {
    try harness.run(
      """
      m = map()
      m[1], m.flag, m[{1, "a"}] = "one", true, 1
      m[{1, "a"}] = 2
      m[1] = nil
      local seen = {}
      for k, v in pairs(m) do seen[#seen + 1] = (type(k) == "table" and k[1] .. k[2] or k) .. "=" .. tostring(v) end
      table.sort(seen)
      print(#m, m[{1, "a"}], m[{1, "b"}], table.concat(seen, " "))
      print(#m:drain(), #m)
      """)
    #expect(try harness.printed() == "2\t2\tnil\t1a=2 flag=true\n2\t0\n")
  }

  @Test func storedValuesGiveTypes() throws {
    try harness.run("m = map(); m[{1, 'bash'}] = { path = 'x', n = 1 }; m[{2, 'ls'}] = { path = ('y'):rep(70), n = 2 }")
    _ = try harness.session.probes.compile()
    #expect(schema.maps[0].key == .tuple([.integer, .string(capacity: 64)]))
    #expect(
      schema.maps[0].value
        == .record([.init(name: "n", type: .integer), .init(name: "path", type: .string(capacity: 72))]))
  }

  @Test(arguments: [
    ("m[1] = 1; m[2] = 'x'", "they are of several types"), ("m[1] = 1.5", "a float can't be stored in a map"),
    ("m[1] = print", "a function can't be stored in a map"), ("m[1] = {}", "a table in a map is a list"),
    ("m[1] = { 1, x = 2 }", "a table in a map is a list"), ("m[1] = { [true] = 1 }", "a table in a map is a list"),
  ])
  func valuesWithoutAnyTypeAreErrors(_ script: String, _ message: String) throws {
    try harness.run("local m = map(); \(script)")
    let error = #expect(throws: MoontraceError.self) { try harness.session.probes.compile() }
    #expect(error?.message.contains(message) == true, "\(String(describing: error))")
  }

  @Test func declaredTypesWin() throws {
    try harness.run("map{ key = { 0, 'string(10)' }, value = { on = true, at = 'integer' } }")
    #expect(schema.maps[0].key == .tuple([.integer, .string(capacity: 16)]))
    #expect(
      schema.maps[0].value == .record([.init(name: "at", type: .integer), .init(name: "on", type: .boolean)]))
  }

  // MARK: Globals and streams

  @Test func globalsAreScalars() throws {
    try harness.run(
      """
      local g = global{ n = 1, on = false, whole = 2.0 }
      g.n, g.on = g.n + math.maxinteger, true
      local names = {}
      for name in pairs(g) do names[#names + 1] = name end
      table.sort(names)
      print(g.n, g.on, g.whole, table.concat(names, " "))
      print(pcall(function() return g.m end))
      print(pcall(function() g.n = "x" end))
      print(pcall(function() g.n = true end))
      """)
    #expect(
      try harness.printed() == """
        \(Int64.min)\ttrue\t2\tn on whole
        false\tx.lua:7: there is no global 'm' (did you mean 'n'?)
        false\tx.lua:8: global: 'n' is an integer or a boolean, not a string (keep text and tables in a map{})
        false\tx.lua:9: global 'n': expected an integer, got a boolean

        """)
  }

  @Test func streamsAreFedFromTheUserHalfToo() throws {
    try harness.run(
      """
      local s = stream()
      s:each(function(e) print("one", e.a) end):each(function(e) print("two", e.a) end)
      s:emit{ a = 5 }
      stream():emit{ b = "text" }
      """)
    #expect(try harness.printed() == "one\t5\ntwo\t5\nB\ntext\n")
  }

  @Test func failuresAreToldWhenTheyAreNew() {
    var reporter = FailureReporter([
      .init(source: "", line: 0, message: "lost events"),
      .init(source: "x.lua", line: 14, message: "attempt to perform 'n//0'"),
      .init(source: "x.lua", line: 20, message: "the map is full"),
    ])
    var counts: [UInt64] = [9, 3, 0]
    #expect(reporter.news { counts[$0] } == ["x.lua:14: attempt to perform 'n//0' (3 runs ended here)"])
    #expect(reporter.news { counts[$0] } == [])
    counts = [9, 4, 2]
    #expect(
      reporter.news { counts[$0] } == [
        "x.lua:14: attempt to perform 'n//0' (1 run ended here)", "x.lua:20: the map is full (2 runs ended here)",
      ])
  }
}
