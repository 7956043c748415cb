import Glibc
import LuaRuntime
import Support
import Testing

@Suite struct TimeLimitTests {
  /// Runs a script that would never end, and then one in the same state that does.
  private func expectStopped(_ text: String, line: Int, _ source: SourceLocation = #_sourceLocation) throws {
    let harness = try Harness(milliseconds: 40)
    #expect(harness.error(text) == "x.lua:\(line): ran longer than 0.04 s: stopped", sourceLocation: source)
    try harness.run("print('usable')")
    #expect(harness.printed().hasSuffix("usable\n"), sourceLocation: source)
  }

  @Test func loops() throws {
    try expectStopped("local x = 1\nwhile true do end", line: 2)
    try expectStopped("::again::\ngoto again", line: 2)
    try expectStopped("repeat until false", line: 1)
    try expectStopped("for i = 1, math.maxinteger do end", line: 1)
  }

  /// A descriptor stops a run as the limit does, long before it.
  @Test func interruptions() throws {
    let harness = try Harness(milliseconds: 4000)
    let pipe = try Pipe()
    harness.runtime.interrupt(by: pipe.reading)
    try harness.run("for i = 1, 1000 do end")
    #expect(write(pipe.writing, "x", 1) == 1)
    let start = threadSeconds()
    #expect(harness.error("while true do\n  pcall(function() while true do end end)\nend") == "x.lua:2: interrupted")
    #expect(threadSeconds() - start < 3)
    harness.runtime.interrupt(by: nil)
    try harness.run("print('usable')")
    #expect(harness.printed() == "usable\n")
  }

  @Test func recursionWithoutGrowth() throws {
    try expectStopped("local function f()\n  return f()\nend\nf()", line: 2)
  }

  @Test func pcallCannotSwallowIt() throws {
    try expectStopped("while true do\n  pcall(function()\n    while true do end\n  end)\nend", line: 3)
    try expectStopped("local function f()\n  while true do pcall(f) end\nend\nf()", line: 2)
  }

  @Test func coroutinesCannotSwallowIt() throws {
    try expectStopped("while true do\n  coroutine.wrap(function() while true do end end)()\nend", line: 2)
    try expectStopped(
      """
      local function spin() while true do end end
      while true do
        coroutine.resume(coroutine.create(function()
          coroutine.resume(coroutine.create(spin))
          pcall(coroutine.wrap(spin))
        end))
      end
      """, line: 1)
    try expectStopped(
      """
      while true do
        pcall(function()
          local co = coroutine.create(function() while true do coroutine.yield() end end)
          local resume = coroutine.resume while true do resume(co) end
        end)
      end
      """.replacingNewlinesBySpaces, line: 1)
  }

  @Test func aSuspendedCoroutineCanGoOnAfterAStop() throws {
    let harness = try Harness(milliseconds: 40)
    try harness.run("co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) print(co())")
    #expect(harness.error("while true do end").contains("stopped"))
    try harness.run("print(co(), co())")
    #expect(harness.printed() == "1\n2\t3\n")
  }

  @Test func errorHandlersCannotSwallowIt() throws {
    try expectStopped("xpcall(error, function()\n  while true do end\nend)", line: 2)
    try expectStopped(
      "while true do\n  xpcall(function() while true do end end, function() while true do end end)\nend", line: 2)
    try expectStopped("error(setmetatable({}, { __tostring = function()\n  while true do end\nend }))", line: 2)
  }

  @Test func closingVariablesCannotSwallowIt() throws {
    let spin = "setmetatable({}, { __close = function()\n    while true do end\n  end })"
    try expectStopped("while true do\n  local x <close> = \(spin)\nend", line: 3)
    try expectStopped("local x <close> = \(spin)\nwhile true do end", line: 4)
    try expectStopped(
      "local co = coroutine.create(function()\n  local x <close> = \(spin)\n  coroutine.yield()\nend)\n"
        + "coroutine.resume(co)\nwhile true do pcall(coroutine.close, co) end", line: 3)
  }

  @Test func closingAStoppedCoroutineLaterDoesNotHang() throws {
    let harness = try Harness(milliseconds: 40)
    let stuck = harness.error(
      """
      co = coroutine.create(function()
        local x <close> = setmetatable({}, { __close = function() while true do end end })
        while true do end
      end)
      coroutine.resume(co)
      """)
    #expect(stuck == "x.lua:3: ran longer than 0.04 s: stopped")
    try harness.run("print(coroutine.close(co), coroutine.status(co))")
    #expect(harness.printed() == "true\tdead\n")
  }

  @Test func callbacksOfTheLibrary() throws {
    try expectStopped("table.sort({ 3, 2, 1 }, function()\n  while true do end\nend)", line: 2)
    try expectStopped("string.gsub('abc', '.', function()\n  while true do end\nend)", line: 2)
    try expectStopped(
      "setmetatable({}, { __index = function()\n  while true do end\nend }).x = nil\n"
        + "local y = setmetatable({}, { __index = function()\n  while true do end\nend }).x", line: 5)
    try expectStopped("while true do load(function()\n  while true do end\nend) end", line: 2)
    try expectStopped("print(setmetatable({}, { __tostring = function()\n  while true do end\nend }))", line: 2)
    try expectStopped("printf('%s', setmetatable({}, { __tostring = function()\n  while true do end\nend }))", line: 2)
  }

  @Test func theTracebackSaysHowItCameThere() throws {
    let harness = try Harness(milliseconds: 40)
    guard case .error(let error) = harness.failure("local function spin()\n  while true do end\nend\nspin()") else {
      Issue.record("the script ended by itself")
      return
    }
    #expect(error.location == "x.lua:2")
    #expect(error.detail == "  x.lua:2: in local 'spin'\n  x.lua:4: in the main chunk")
  }

  /// Nothing can interrupt Lua's C library, but the process must not hang either. Takes five seconds.
  @Test func stuckInTheLibraryEndsTheProcess() async throws {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      let harness = try Harness(milliseconds: 40)
      try harness.run(
        "\nlocal s = string.rep('a', 60)\nprint(s:find(string.rep('a?', 60) .. string.rep('a*', 60) .. 'b'))")
    }
    let told = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(told.contains("x.lua:3: stuck in a function of Lua's C library, which can't be stopped"))
  }

  @Test func eachCallbackHasItsOwnTime() throws {
    let harness = try Harness(milliseconds: 60)
    var callback: LuaFunction?
    harness.runtime.define("keep") { call throws(MoontraceError) in
      callback = try call.function(1)
      return []
    }
    try harness.publish()
    try harness.run("keep(function() local t = os.clock() while os.clock() - t < 0.02 do end end)")
    for _ in 0..<8 { try harness.runtime.call(try #require(callback)) }
  }

  @Test func timeInOneLongHostCallIsTheHosts() throws {
    let harness = try Harness(milliseconds: 40)
    harness.runtime.define("compile") { _ in
      burn(seconds: 0.2)
      return []
    }
    harness.runtime.define("nap") { _ in
      burn(seconds: 0.0001)
      return []
    }
    try harness.publish()
    try harness.run("compile() print('done')")
    #expect(harness.printed() == "done\n")
    #expect(harness.error("while true do nap() end") == "x.lua:1: ran longer than 0.04 s: stopped")
  }

  /// A script that registers many probes is not to blame for the time that compiling them takes.
  @Test func timeInManyHostCallsIsTheHosts() throws {
    let harness = try Harness(milliseconds: 40)
    harness.runtime.define("compile") { _ in
      burn(seconds: 0.012)
      return []
    }
    try harness.publish()
    try harness.run("for i = 1, 20 do compile() end print('done')")
    #expect(harness.printed() == "done\n")
    #expect(harness.error("while true do compile() end") == "x.lua:1: ran longer than 0.04 s: stopped")
  }

  @Test func hostFunctionsThatCallBackAreStoppedToo() throws {
    let harness = try Harness(milliseconds: 40)
    harness.runtime.define("twice") { [unowned harness] call throws(MoontraceError) in
      let function = try call.function(1)
      for _ in 0..<2 { _ = try? harness.runtime.call(function) }
      return []
    }
    try harness.publish()
    #expect(
      harness.error("while true do\n  pcall(twice, function() while true do end end)\nend")
        == "x.lua:2: ran longer than 0.04 s: stopped")
  }
}

extension String {
  /// For loops that may be stopped on any of several lines.
  fileprivate var replacingNewlinesBySpaces: String {
    String(map { $0 == "\n" ? " " : $0 })
  }
}
