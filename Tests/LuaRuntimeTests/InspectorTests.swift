import LuaRuntime
import Support
import Testing

@Suite struct InspectorTests {
  let harness: Harness
  let inspector: LuaInspector

  init() throws {
    harness = try Harness()
    inspector = LuaInspector(harness.runtime)
    let objects = ["map": UInt32(0), "stream": 1]
    for (name, kind) in objects {
      harness.runtime.define(name) { call throws(MoontraceError) in
        try call.mark(1, kind: kind, number: Int(try call.integer(2)))
        return []
      }
    }
    try harness.publish()
  }

  /// The number of the function or table that a global variable holds.
  private func number(_ name: String) throws -> Int64 {
    switch inspector.global(name) {
    case .function(let number), .table(let number), .tableWithMetatable(let number): return number
    case let other:
      Issue.record("'\(name)' is \(other)")
      return 0
    }
  }

  private func field(_ table: String, _ name: String) throws -> LuaInspected {
    inspector.field(of: try number(table), name: Array(name.utf8))
  }

  @Test func upvaluesReadByPosition() throws {
    try harness.run(
      """
      local i, f, s, b, n, t = 7, 1.5, "a\\0b", false, nil, {}
      local function helper() return i end
      function probe() return i, f, s, b, n, t, helper, print end
      """)
    let function = try number("probe")
    #expect(inspector.upvalue(of: function, at: 0) == .integer(7))
    #expect(inspector.upvalue(of: function, at: 1) == .number(1.5))
    #expect(inspector.upvalue(of: function, at: 2) == .string([97, 0, 98]))
    #expect(inspector.upvalue(of: function, at: 3) == .boolean(false))
    #expect(inspector.upvalue(of: function, at: 4) == .nil)
    guard case .table = inspector.upvalue(of: function, at: 5) else {
      Issue.record("no table")
      return
    }
    guard case .function(let helper) = inspector.upvalue(of: function, at: 6) else {
      Issue.record("no function")
      return
    }
    #expect(inspector.upvalue(of: helper, at: 0) == .integer(7))
    #expect(inspector.upvalue(of: function, at: 7) == .globals)
    #expect(inspector.upvalue(of: function, at: 8) == .nil)
    #expect(inspector.upvalue(of: function, at: -1) == .nil)
  }

  @Test func functionsOfTheLibraryHaveTheirNames() throws {
    try harness.run("t = { math.min, string.find, print, coroutine.wrap(function() end) }")
    let table = try number("t")
    #expect(inspector.element(of: table, at: 1) == .library("math.min"))
    #expect(inspector.element(of: table, at: 2) == .library("string.find"))
    #expect(inspector.element(of: table, at: 3) == .library("print"))
    #expect(inspector.element(of: table, at: 4) == .other("function"))
  }

  @Test func entriesOfATable() throws {
    try harness.run("t = { 10, x = 'y', [true] = 1.5 } setmetatable(t, { __pairs = error, __index = error })")
    let table = try number("t")
    let entries = try #require(inspector.entries(of: table, limit: 3))
    #expect(entries.count == 3)
    #expect(entries.contains { $0 == (.integer(1), .integer(10)) })
    #expect(entries.contains { $0 == (.string(Array("x".utf8)), .string(Array("y".utf8))) })
    #expect(entries.contains { $0 == (.boolean(true), .number(1.5)) })
    #expect(inspector.entries(of: table, limit: 2) == nil)
  }

  @Test func theSameThingHasTheSameNumber() throws {
    try harness.run(
      """
      local function even(n) return n == 0 or odd(n - 1) end
      function odd(n) return n ~= 0 and even(n - 1) end
      t = {}
      t.itself, t.f = t, odd
      """)
    let odd = try number("odd")
    guard case .function(let even) = inspector.upvalue(of: odd, at: 0) else {
      Issue.record("no upvalue")
      return
    }
    #expect(even != odd)
    #expect(try field("t", "f") == .function(odd))
    #expect(try field("t", "itself") == .table(try number("t")))
  }

  @Test func tablesReadRaw() throws {
    try harness.run(
      """
      local function never() touched = true; error("a metamethod ran") end
      local traps = {__index = never, __newindex = never, __len = never, __pairs = never, __eq = never, __call = never}
      t = setmetatable({[1] = "one", [-3] = true, name = 4}, traps)
      setmetatable(_G, {__index = never})
      """)
    #expect(inspector.global("t") == .tableWithMetatable(try number("t")))
    #expect(try field("t", "name") == .integer(4))
    #expect(try field("t", "absent") == .nil)
    #expect(inspector.element(of: try number("t"), at: 1) == .string([111, 110, 101]))
    #expect(inspector.element(of: try number("t"), at: -3) == .boolean(true))
    #expect(inspector.element(of: try number("t"), at: .max) == .nil)
    #expect(inspector.global("absent") == .nil)
    #expect(inspector.global("touched") == .nil)
  }

  @Test func numbersThatWereNotHandedOutReadAsNil() throws {
    try harness.run("t = {a = 1}; function f() return t end")
    let (table, function) = (try number("t"), try number("f"))
    #expect(inspector.field(of: 99, name: [97]) == .nil)
    #expect(inspector.field(of: function, name: [97]) == .nil)
    #expect(inspector.upvalue(of: table, at: 0) == .nil)
    #expect(inspector.element(of: -1, at: 0) == .nil)
    #expect(throws: MoontraceError.self) { try inspector.dump(of: table) }
  }

  @Test func whatProbesCannotUseHasItsTypeName() throws {
    try harness.run("co = coroutine.create(print)")
    #expect(inspector.global("co") == .other("thread"))
    #expect(inspector.global("print") == .library("print"))
    #expect(inspector.global("map") == .library("map"))
  }

  @Test func functionsOfTheLibraryAreNotTheScripts() throws {
    try harness.runtime.run(library: "function library_function() end", name: "=[moontrace x]")
    #expect(inspector.global("library_function") == .library("library_function"))
  }

  @Test func markedObjectsAreTold() throws {
    try harness.run("m, s, plain = setmetatable({}, {__index = error}), {}, {}; map(m, 3); stream(s, 70000)")
    #expect(inspector.global("m") == .object(kind: 0, number: 3))
    #expect(inspector.global("s") == .object(kind: 1, number: 70000))
    guard case .table = inspector.global("plain") else {
      Issue.record("plain is no table")
      return
    }
  }

  @Test func objectsAreNamedAfterVariables() throws {
    var names: [String] = []
    let inspector = inspector
    harness.runtime.define("names") { _ in
      names = inspector.objectNames().map { "\($0.kind) \($0.number) \($0.name)" }
      return []
    }
    try harness.publish()
    try harness.run(
      """
      local started = {}
      map(started, 0)
      by_name = {}
      stream(by_name, 1)
      local function inner() local mine = {}; map(mine, 2); names() end
      inner()
      """)
    #expect(names == ["0 2 mine", "0 0 started", "1 1 by_name"])
  }

  @Test func bytecodeIsLuasOwnWithItsDebugInformation() throws {
    try harness.run("local limit = 5\nfunction f(a) return a + limit end")
    let dump = try inspector.dump(of: try number("f"))
    #expect(dump.starts(with: [0x1b] + Array("Lua".utf8) + [0x54]))
    let text = String(decoding: dump, as: UTF8.self)
    #expect(text.contains("@x.lua"))
    #expect(text.contains("limit"))
  }

  @Test func numbersStartAfreshBehindTheEnd() throws {
    try harness.run("a, b = {}, {}")
    #expect(try number("a") == 1)
    inspector.end()
    #expect(try number("b") == 1)
    #expect(inspector.field(of: 2, name: [97]) == .nil)
  }

  @Test func inspectingLeavesTheStackAsItWas() throws {
    try harness.run("t = {x = {}}; function f() return t end")
    for _ in 0..<10_000 {
      _ = inspector.field(of: try number("t"), name: [120])
      _ = inspector.upvalue(of: try number("f"), at: 0)
    }
    try harness.run("assert(t.x)")
  }
}
