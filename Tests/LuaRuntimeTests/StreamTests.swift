import CEventCore
import CLuaBridge
import LuaRuntimeTestSupport
import Testing

@Suite struct StreamTests {
  let fixture: LuaFixture

  init() throws { fixture = try LuaFixture() }

  /// What `body`, run as a handler for one event `e`, returns; or the handler's error.
  private func handle(_ body: String, size: UInt32 = 64) throws -> String {
    let stream = try fixture.stream("function(e) result = tostring((function() \(body) end)()) end")
    let source = try fixture.source(1)
    source.pointee.size = size
    guard fixture.drain(stream, source).status == 0 else { return "error: " + fixture.error }
    return try fixture.run("return result")
  }

  // MARK: Views

  @Test func fieldsReadByName() throws {
    #expect(
      try handle("return table.concat({e.pid, e.ret, e.at, e.comm, e.address, e.kind, e.ratio}, ' ')")
        == "1 -2 -1 bash 0 CLOSE 0.5")
  }

  @Test func namesBuiltAtRunTimeFindTheirFields() throws {
    #expect(try handle("return e['co' .. 'mm']") == "bash")
  }

  @Test func unknownFieldsAreErrors() throws {
    #expect(try handle("return e.comn") == "error: test:1: event sample has no field 'comn' (did you mean 'comm'?)")
    #expect(
      try handle("return e.xyzzy") == "error: test:1: event sample has no field 'xyzzy'; "
        + "its fields are pid, ret, at, comm, address, kind, ratio")
    #expect(try handle("return e[1]").hasPrefix("error: test:1: event sample has no field '1'"))
    #expect(try handle("return e[nil]").hasPrefix("error: test:1: event sample has no field 'nil'"))
  }

  @Test func eventsAreReadOnly() throws {
    #expect(try handle("e.pid = 1") == "error: test:1: events are read-only; change a copy: e:copy()")
  }

  @Test func theMetatableIsOutOfReach() throws {
    #expect(try handle("return getmetatable(e)") == "event")
  }

  @Test func pairsGivesFieldsInOrder() throws {
    #expect(
      try handle("local t = {}; for k, v in pairs(e) do t[#t + 1] = k .. '=' .. v end; return table.concat(t, ' ')")
        == "pid=1 ret=-2 at=-1 comm=bash address=0 kind=CLOSE ratio=0.5")
  }

  @Test func textShowsAllFields() throws {
    #expect(
      try handle("return tostring(e)")
        == #"{pid=1, ret=-2, at=-1, comm="bash", address=0, kind=CLOSE, ratio=0.5}"#)
  }

  @Test func shortRecordsHaveFewerFields() throws {
    #expect(try handle("return tostring(e.pid) .. tostring(e.at)", size: 8) == "1nil")
    #expect(
      try handle(
        "local n = 0; for _ in pairs(e:copy()) do n = n + 1 end; for _ in pairs(e) do n = n + 1 end; return n",
        size: 18) == "8")
    #expect(try handle("return e.comm", size: 18) == "ba")
  }

  @Test func copiesStay() throws {
    _ = try handle("kept = e:copy()")
    #expect(try fixture.run("kept.pid = kept.pid + 1; return kept.pid .. kept.comm") == "2bash")
    #expect(try handle("return e.copy()") == "error: test:1: copy: the event is missing; call it as e:copy()")
  }

  @Test(arguments: [("copy", "e.copy"), (String(repeating: "n", count: 50), "e[('n'):rep(50)]")])
  func unusualNamesFindTheirFields(name: String, expression: String) throws {
    try name.withCString { text in
      var field = mt_field()
      field.name = text
      field.name_length = UInt32(name.utf8.count)
      field.kind = MT_UNSIGNED
      field.size = 4
      try withUnsafePointer(to: &field) { fields in
        var plan = mt_plan(name: text, size: 4, field_count: 1, fields: fields)
        try withUnsafePointer(to: &plan) { plan in
          let stream = try fixture.stream("function(e) result = \(expression) end", plan: plan)
          #expect(fixture.drain(stream, try fixture.source(1)).status == 0)
          fixture.close(stream)
        }
      }
    }
    #expect(try fixture.run("return result") == "1")
  }

  // MARK: Stale views

  static let stale = "stale event: it is valid only while its handler runs; keep it with e:copy()"

  @Test(arguments: ["return kept.pid", "return kept:copy()", "return pairs(kept)", "return kept.nothing"])
  func viewsEndWithTheirHandler(script: String) throws {
    let stream = try fixture.stream("function(e) kept = e end")
    fixture.drain(stream, try fixture.source(1))
    #expect(try fixture.run(script) == "error: test:1: " + Self.stale)
    #expect(try fixture.run("return tostring(kept)") == "stale event")
  }

  @Test func aViewNeverShowsALaterRecord() throws {
    let stream = try fixture.stream(
      """
      (function()
        local first
        return function(e)
          first = first or e
          results = (results or '') .. e.pid .. tostring(pcall(function() return first.pid end)) .. ' '
        end
      end)()
      """)
    fixture.drain(stream, try fixture.source(3))
    #expect(try fixture.run("return results") == "1true 2false 3false ")
  }

  @Test func anIteratorEndsWithItsView() throws {
    let stream = try fixture.stream("function(e) next_field = pairs(e); next_field() end")
    fixture.drain(stream, try fixture.source(1))
    #expect(try fixture.run("return next_field()") == "error: test:1: " + Self.stale)
  }

  @Test func viewsAreStaleAfterAFailureAndAfterClosing() throws {
    let stream = try fixture.stream("function(e) kept = e; error('x') end")
    fixture.drain(stream, try fixture.source(1))
    #expect(try fixture.run("return kept.pid").hasSuffix(Self.stale))
    fixture.close(stream)
    #expect(try fixture.run("return kept.pid").hasSuffix(Self.stale))
  }

  @Test func aCoroutineResumedLaterHoldsAStaleView() throws {
    let stream = try fixture.stream(
      "function(e) co = coroutine.wrap(function() coroutine.yield(e.pid); return e.pid end); first = co() end")
    fixture.drain(stream, try fixture.source(1))
    #expect(try fixture.run("return first") == "1")
    #expect(try fixture.run("return co()").hasSuffix(Self.stale))
  }

  // MARK: Draining

  @Test func handlersRunInOrderForEachRecord() throws {
    let stream = try fixture.stream(
      "function(e) log = (log or '') .. 'a' .. e.pid end", "function(e) log = log .. 'b' .. e.pid end")
    let result = fixture.drain(stream, try fixture.source(2))
    #expect(result.delivered == 2 && result.status == 0)
    #expect(try fixture.run("return log") == "a1b1a2b2")
  }

  @Test func theLimitIsKept() throws {
    let stream = try fixture.stream("function(e) last = e.pid end")
    let source = try fixture.source(10)
    #expect(fixture.drain(stream, source, limit: 4).delivered == 4)
    #expect(try fixture.run("return last") == "4")
    #expect(fixture.drain(stream, source).delivered == 6)
    #expect(fixture.drain(stream, source).delivered == 0)
  }

  @Test func recordsWithoutHandlersAreConsumed() throws {
    #expect(fixture.drain(try fixture.stream(), try fixture.source(5)).delivered == 5)
  }

  @Test func aFailureEndsTheBatchAndTheNextRecordFollows() throws {
    let stream = try fixture.stream(
      "function(e) log = (log or '') .. e.pid; if e.pid == 2 then error('bad') end end")
    let source = try fixture.source(4)
    let failed = fixture.drain(stream, source)
    #expect(failed.delivered == 2 && failed.status == LUA_ERRRUN)
    #expect(fixture.error == "test:1: bad")
    let rest = fixture.drain(stream, source)
    #expect(rest.delivered == 2 && rest.status == 0)
    #expect(try fixture.run("return log") == "1234")
  }

  @Test func failuresLeaveNothingOnTheStack() throws {
    let stream = try fixture.stream("function(e) error('bad') end")
    let source = try fixture.source(50_000)
    while fixture.drain(stream, source).delivered == 1 {}
    #expect(lua_gettop(mt_lua_state(fixture.lua)) == 0)
  }

  @Test func scalarFieldsAllocateNothing() throws {
    let stream = try fixture.stream(
      "(function() local s = 0; return function(e) s = s + e.pid + e.ret + e.at + e.ratio + e.address end end)()")
    let source = try fixture.source(1_000_100)
    fixture.drain(stream, source, limit: 100)
    let before = fixture.memoryInUse
    #expect(fixture.drain(stream, source).delivered == 1_000_000)
    #expect(fixture.memoryInUse == before)
  }

  @Test func exhaustedMemoryRefusesNewStreamsHandlersAndMaps() throws {
    let map = try fixture.map("m")
    let stream = try fixture.stream()
    let state = mt_lua_state(fixture.lua)
    _ = try fixture.run("t = {}; while true do t[#t + 1] = ('x'):rep(100) end")
    var opened: [OpaquePointer] = []
    while let next = mt_lua_stream_open(fixture.lua, mt_test_event_plan()) { opened.append(next) }
    #expect(lua_gettop(state) == 0)
    var added = true
    while added {
      lua_pushboolean(state, 1)
      added = mt_lua_stream_add_handler(stream)
    }
    #expect(lua_gettop(state) == 0)
    var maps: Int32 = 0
    while mt_lua_push_map(state, &map.pointee.config) { maps += 1 }
    #expect(lua_gettop(state) == maps)
    lua_settop(state, 0)
    for stream in opened { mt_lua_stream_close(stream) }
  }

  // MARK: Time limit

  @Test func aLongBatchOfShortHandlersRunsToItsEnd() throws {
    let fixture = try LuaFixture(callbackMilliseconds: 50)
    let stream = try fixture.stream("function() for _ = 1, 20000 do end end")
    let result = fixture.drain(stream, try fixture.source(3_000))
    #expect(result.delivered == 3_000 && result.status == 0)
  }

  @Test func aDrainInsideAHandlerDoesNotExtendItsTime() throws {
    let fixture = try LuaFixture(callbackMilliseconds: 50)
    let inner = try fixture.stream("function() pcall(error) end")
    mt_test_set_drain(fixture.lua, "drain_inner", inner, mt_test_source_base(try fixture.source(.max)))
    let outer = try fixture.stream("function() while true do drain_inner() end end")
    #expect(fixture.drain(outer, try fixture.source(3)).delivered == 1)
    #expect(fixture.error.hasSuffix("ran longer than 0.05 s: stopped"))
  }

  // MARK: Drains within drains

  @Test func anInnerDrainGivesTheOuterViewBack() throws {
    let inner = try fixture.stream("function(e) seen = e.pid; kept = e end")
    mt_test_set_drain(fixture.lua, "drain_inner", inner, mt_test_source_base(try fixture.source(3)))
    let outer = try fixture.stream(
      "function(e) local n = drain_inner(); log = (log or '') .. e.pid .. ':' .. n .. ':' .. seen .. ' ' end")
    #expect(fixture.drain(outer, try fixture.source(2)).status == 0)
    #expect(try fixture.run("return log") == "1:3:3 2:0:3 ")
    #expect(try fixture.run("return kept.pid").hasSuffix(Self.stale))
  }

  @Test func theOuterViewIsStaleInsideTheInnerHandler() throws {
    let inner = try fixture.stream("function() fine, problem = pcall(function() return outer.pid end) end")
    mt_test_set_drain(fixture.lua, "drain_inner", inner, mt_test_source_base(try fixture.source(1)))
    let outer = try fixture.stream("function(e) outer = e; drain_inner(); after = e.pid end")
    #expect(fixture.drain(outer, try fixture.source(1)).status == 0)
    #expect(try fixture.run("return tostring(fine) .. after") == "false1")
  }

  @Test func anInnerFailureDoesNotEndTheOuterHandler() throws {
    let inner = try fixture.stream("function() error('inner') end")
    mt_test_set_drain(fixture.lua, "drain_inner", inner, mt_test_source_base(try fixture.source(3)))
    let outer = try fixture.stream("function(e) log = (log or '') .. drain_inner() .. e.pid .. ' ' end")
    #expect(fixture.drain(outer, try fixture.source(2)).status == 0)
    #expect(try fixture.run("return log") == "11 12 ")
  }

  @Test func aDrainFromACoroutineWorks() throws {
    let inner = try fixture.stream("function(e) seen = e.pid end")
    mt_test_set_drain(fixture.lua, "drain_inner", inner, mt_test_source_base(try fixture.source(2)))
    #expect(try fixture.run("return coroutine.wrap(function() return drain_inner() + seen end)()") == "4")
  }

  @Test func aStreamClosedByItsHandlerEndsItsDrain() throws {
    let stream = try fixture.stream(
      "function(e) close(); fine = pcall(function() return e.pid end) end", "function() later = true end")
    fixture.setClose("close", stream)
    let result = fixture.drain(stream, try fixture.source(5))
    #expect(result.delivered == 1 && result.status == 0)
    #expect(try fixture.run("return tostring(fine) .. tostring(later)") == "falsenil")
  }

  @Test func anOuterStreamClosedByAnInnerHandlerIsStale() throws {
    let inner = try fixture.stream("function() close() end")
    mt_test_set_drain(fixture.lua, "drain_inner", inner, mt_test_source_base(try fixture.source(1)))
    let outer = try fixture.stream("function(e) drain_inner(); fine = pcall(function() return e.pid end) end")
    fixture.setClose("close", outer)
    #expect(fixture.drain(outer, try fixture.source(3)).delivered == 1)
    #expect(try fixture.run("return fine") == "false")
  }
}
