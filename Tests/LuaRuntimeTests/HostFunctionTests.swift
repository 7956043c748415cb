import CLuaBridge
import LuaRuntime
import Support
import Testing

@Suite struct HostFunctionTests {
  @Test func valuesGoBothWays() throws {
    let harness = try Harness()
    var seen: [LuaValue] = []
    harness.runtime.define("swap") { call throws(MoontraceError) in
      seen = [try call.value(1), try call.value(2), try call.value(3), try call.value(4), try call.value(5)]
      return [
        .integer(.min), .number(0.5), .boolean(true), .string([0, 255]), .nil,
        .table(LuaTable(list: ["a"], fields: ["k": "v"])),
      ]
    }
    try harness.publish()
    try harness.run(
      "local i, n, b, s, z, t = swap(1, 1.5, 'x', {7, 8, name = {true}}, nil)\nprint(i, n, b, #s, z, t[1], t.k)")
    #expect(harness.printed() == "-9223372036854775808\t0.5\ttrue\t2\tnil\ta\tv\n")
    let table = LuaTable(list: [.integer(7), .integer(8)], fields: ["name": .table(LuaTable(list: [.boolean(true)]))])
    #expect(seen == [.integer(1), .number(1.5), "x", .table(table), .nil])
  }

  @Test func keysThatAreNotReadAreCounted() throws {
    let harness = try Harness()
    var table: LuaTable?
    harness.runtime.define("take") { call throws(MoontraceError) in
      table = try call.table(1)
      return []
    }
    try harness.publish()
    try harness.run("take({1, 2, a = 3, [true] = 4, [2.5] = 5, [-1] = 6})")
    #expect(table?.otherKeyCount == 3)
    #expect(table?["a"] == .integer(3))
    #expect(
      harness.error("local t = {} t.t = t take(t)")
        == "x.lua:1: a table is nested deeper than 16 levels (does it contain itself?)")
  }

  @Test func pushedResultsAreTakenAsTheyAre() throws {
    let harness = try Harness()
    harness.runtime.define("raw") { call in
      guard mt_lua_push_string(call.lua, "abc", 3) else { return [] }
      return .pushed(1)
    }
    try harness.publish()
    try harness.run("print(raw())")
    #expect(harness.printed() == "abc\n")
  }

  @Test func wrongArgumentsAreToldAsLuaDoes() throws {
    let harness = try Harness()
    harness.runtime.define("every") { call throws(MoontraceError) in
      _ = (try call.number(1), try call.function(2), try call.optionalInteger(3), try call.optionalText(4))
      return []
    }
    try harness.publish()
    let expected = [
      "every()": "bad argument #1 to 'every' (a number expected, got no value)",
      "every(1, nil)": "bad argument #2 to 'every' (a function expected, got nil)",
      "every(1, print, 1.5)": "bad argument #3 to 'every' (number has no integer representation)",
      "every(1, print, nil, {})": "bad argument #4 to 'every' (a string expected, got table)",
      "every('1')": "bad argument #1 to 'every' (a number expected, got string)",
    ]
    for (call, message) in expected { #expect(harness.error("\n" + call) == "x.lua:2: " + message) }
    try harness.run("every(1, print, 2.0, nil)")
  }

  @Test func hostErrorsKeepTheirCodeUnlessCaught() throws {
    let harness = try Harness()
    let thrown = MoontraceError(.unsupported, "no kprobes here", remedy: "use a tracepoint", detail: "log")
    harness.runtime.define("attach") { _ throws(MoontraceError) in throw thrown }
    try harness.publish()
    var located = thrown
    located.location = "x.lua:2"
    #expect(harness.failure("\nattach()") == .error(located))
    #expect(harness.failure("\ncoroutine.wrap(attach)()")?.asError.code == .unsupported)
    #expect(harness.failure("local ok, e = pcall(attach) error(e, 0)")?.asError.code == .unsupported)
    #expect(
      harness.failure("pcall(attach)\nerror('other')")
        == .error(
          MoontraceError(.scriptFailed, "other", location: "x.lua:2", detail: "  x.lua:2: in the main chunk")))
    try harness.run("print(select(2, pcall(attach)))")
    #expect(harness.printed() == "x.lua:1: no kprobes here (use a tracepoint)\n")
  }

  @Test func hostErrorsWithAPlaceOfTheirOwnKeepIt() throws {
    let harness = try Harness()
    harness.runtime.define("compile") { _ throws(MoontraceError) in
      throw MoontraceError(.scriptFailed, "floats are not allowed", location: "x.lua:14")
    }
    try harness.publish()
    #expect(harness.error("\n\ncompile()") == "x.lua:14: floats are not allowed")
  }

  @Test func positionsAreTheScriptsAlsoThroughLibraryCode() throws {
    let harness = try Harness()
    harness.runtime.define("fail") { _ throws(MoontraceError) in throw MoontraceError(.notPermitted, "no") }
    harness.runtime.define("here") { call in [.text(call.location ?? "nowhere")] }
    try harness.runtime.run(
      library: """
        local host = ...
        function wrapper() local r = host.fail() return r end
        function place() local p = host.here() return p end
        """,
      name: "=[moontrace prelude]")
    #expect(harness.error("\n\nwrapper()") == "x.lua:3: no")
    try harness.run("\n\n\nprint(place())")
    #expect(harness.printed() == "x.lua:4\n")
  }

  @Test func functionsAreKeptAndCalled() throws {
    let harness = try Harness()
    var kept: LuaFunction?
    harness.runtime.define("keep") { call throws(MoontraceError) in
      kept = try call.function(1)
      return []
    }
    try harness.publish()
    try harness.run(
      "local n = 0\nkeep(function(x)\n  n = n + x\n  if n > 10 then error('over') end\n  return n, 'b'\nend)")
    let function = try #require(kept)
    try harness.run("collectgarbage()")
    #expect(try harness.runtime.call(function, [.integer(4)]) == [.integer(4), "b"])
    #expect(try harness.runtime.call(function, [.integer(5)]) == [.integer(9), "b"])
    #expect(
      throws: LuaFailure.error(
        MoontraceError(.scriptFailed, "over", location: "x.lua:4", detail: "  x.lua:4: in the function at line 2"))
    ) { try harness.runtime.call(function, [.integer(5)]) }
  }

  @Test func keptFunctionsMayOutliveTheRuntime() throws {
    var kept: LuaFunction?
    do {
      let harness = try Harness()
      harness.runtime.define("keep") { call throws(MoontraceError) in
        kept = try call.function(1)
        return []
      }
      try harness.publish()
      try harness.run("keep(print)")
    }
    #expect(kept != nil)
    kept = nil
  }

  @Test func callsDoNotLeak() throws {
    let harness = try Harness()
    harness.runtime.define("echo") { call throws(MoontraceError) in
      [.function(try call.function(1)), .table(try call.table(2)), .text("text")]
    }
    harness.runtime.define("fail") { _ throws(MoontraceError) in throw MoontraceError(.scriptFailed, "x") }
    try harness.publish()
    let round = "for i = 1, 20000 do echo(print, {1, a = 2}) pcall(fail) end collectgarbage() collectgarbage()"
    try harness.run(round)
    let before = harness.runtime.memoryInUse
    for _ in 0..<4 { try harness.run(round) }
    #expect(harness.runtime.memoryInUse <= before + 4096)
  }

  @Test func callsFromCoroutinesIntoLuaAndBack() throws {
    let harness = try Harness()
    harness.runtime.define("apply") { [unowned harness] call throws(MoontraceError) in
      let function = try call.function(1)
      do throws(LuaFailure) {
        return .values(try harness.runtime.call(function, [.integer(2)]))
      } catch {
        throw error.asError
      }
    }
    try harness.publish()
    try harness.run("print(coroutine.wrap(function() return apply(function(x) return x * 21 end) end)())")
    #expect(harness.printed() == "42\n")
    #expect(harness.error("coroutine.wrap(function()\n  apply(function() error('in') end)\nend)()") == "x.lua:2: in")
    #expect(harness.error("apply(function() os.exit(7) end)") == "exit 7")
    #expect(harness.error("local function f() apply(f) end f()").contains("stack overflow"))
  }
}
