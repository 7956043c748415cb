import LuaRuntime
import Support
import Testing

@Suite struct ScriptTests {
  @Test func printSeparatesByTabsAndUsesTostring() throws {
    #expect(
      try output(of: "print(1, 2.0, nil, true, 'x', setmetatable({}, {__tostring = function() return 'T' end}))")
        == "1\t2.0\tnil\ttrue\tx\tT\n")
    #expect(try output(of: "print() print('a\\0b')") == "\na\0b\n")
  }

  @Test func printfFormatsAsStringFormat() throws {
    #expect(try output(of: "printf('%5d|%-3s|%q|%.2f|%x\\n', 42, 'a', 'q', 1.5, 255)") == "   42|a  |\"q\"|1.50|ff\n")
  }

  @Test func printAndIoWriteKeepTheirOrder() throws {
    #expect(
      try output(of: "print(1) io.write(2, 'x') io.stdout:write(3.5):write('\\n') printf('%d', 4)") == "1\n2x3.5\n4")
  }

  @Test func printfComplainsAtTheScriptsLine() throws {
    #expect(
      try Harness().error("\nprintf('%d', 'x')")
        == "x.lua:2: bad argument #2 to 'printf' (number expected, got string)")
  }

  @Test func argumentsAreInArgAndInDots() throws {
    #expect(try output(of: "print(arg[0], arg[1], #arg, ...)", ["a", "b c"]) == "x.lua\ta\t2\ta\tb c\n")
  }

  @Test func aFirstCommentLineKeepsLineNumbers() throws {
    #expect(try output(of: "#!/usr/bin/env moontrace\nprint('ok')") == "ok\n")
    #expect(try output(of: "\u{feff}#!x\nprint('ok')") == "ok\n")
    #expect(try Harness().error("#!/usr/bin/env moontrace\nerror('no')") == "x.lua:2: no")
    #expect(try output(of: "#! only this") == "")
  }

  @Test func syntaxErrorsNameTheirLine() throws {
    guard case .error(let error) = try Harness().failure("\n\nx y") else {
      Issue.record("the script ran")
      return
    }
    #expect(error == MoontraceError(.scriptFailed, "syntax error near 'y'", location: "x.lua:3"))
    #expect(try Harness().error("x = = 1") == "x.lua:1: unexpected symbol near '='")
  }

  @Test(arguments: [
    ("x =", true), ("f(", true), ("x = [[", true), ("--[[", true), ("x = 1", false), ("x = 'a", false), ("x y", false),
  ])
  func unfinishedTexts(_ text: String, _ isUnfinished: Bool) throws {
    do throws(LuaSyntax.Mistake) {
      _ = try LuaSyntax.compile(text + "\n")
      #expect(!isUnfinished)
    } catch {
      #expect(error.isEnd == isUnfinished)
    }
  }

  @Test func functionsOfTexts() throws {
    let harness = try Harness()
    let function = try harness.runtime.function(of: Array("return 1 + ...".utf8), name: "@x.lua")
    #expect(try harness.runtime.call(function, [.integer(2)]) == [.integer(3)])
    #expect(throws: LuaFailure.self) { _ = try harness.runtime.function(of: Array("x y".utf8), name: "@x.lua") }
  }

  @Test func runTimeErrorsNameTheirLineAndHowTheyCameThere() throws {
    let text = "local function inner()\n  error('deep')\nend\nfunction outer()\n  inner()\nend\n\nouter()"
    guard case .error(let error) = try Harness().failure(text) else {
      Issue.record("the script ran")
      return
    }
    #expect(error.description == "x.lua:2: deep")
    #expect(
      error.detail == "  x.lua:2: in upvalue 'inner'\n  x.lua:5: in function 'outer'\n  x.lua:8: in the main chunk")
  }

  @Test func tracebacksLeaveLibraryCodeOut() throws {
    let harness = try Harness()
    try harness.runtime.run(library: "function each(f) f() end", name: "=[moontrace prelude]")
    guard case .error(let error) = harness.failure("each(function()\n  error('x')\nend)") else {
      Issue.record("the script ran")
      return
    }
    #expect(error.location == "x.lua:2")
    #expect(error.detail == "  x.lua:2: in the function at line 1\n  x.lua:1: in the main chunk")
  }

  @Test func errorValuesOfAnyType() throws {
    let harness = try Harness()
    #expect(harness.error("error({})") == "(error object is a table value)")
    #expect(harness.error("error()") == "(error object is a nil value)")
    #expect(harness.error("error(12)") == "12")
    #expect(harness.error("error(setmetatable({}, {__tostring = function() return 'told' end}))") == "told")
    #expect(harness.error("error(setmetatable({}, {__tostring = function() return {} end}))").contains("__tostring"))
    #expect(harness.error("error('a\\0b')") == "x.lua:1: a\0b")
    #expect(harness.error("error('one\\ntwo')") == "x.lua:1: one\ntwo")
    #expect(harness.error("error('', 0)") == "")
  }

  @Test func errorsInCoroutinesKeepTheirPlace() throws {
    let harness = try Harness()
    #expect(harness.error("local co = coroutine.wrap(function()\n  error('in')\nend)\nco()") == "x.lua:2: in")
    #expect(
      harness.error("coroutine.wrap(function() coroutine.wrap(function() error('in') end)() end)()") == "x.lua:1: in")
    #expect(
      try output(of: "print(coroutine.resume(coroutine.create(function() error('in', 0) end)))") == "false\tin\n")
  }

  @Test func coroutinesWorkAsLuas() throws {
    let text = """
      local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b) return c * 2 end)
      print(coroutine.resume(co, 1, 2))
      print(coroutine.resume(co, 21))
      print(coroutine.resume(co))
      print(coroutine.status(co), coroutine.close(co))
      for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do io.write(v, ' ') end
      local closing = coroutine.create(function()
        local x <close> = setmetatable({}, { __close = function() error('closing', 0) end })
        coroutine.yield()
      end)
      coroutine.resume(closing)
      print(coroutine.close(closing))
      print(pcall(coroutine.close, coroutine.running()))
      print(pcall(coroutine.resume, 1))
      """
    #expect(
      try output(of: text) == """
        true\t3
        true\t42
        false\tcannot resume dead coroutine
        dead\ttrue
        1 2 3 false\tclosing
        false\tcannot close a running coroutine
        false\tbad argument #1 to 'coroutine.resume' (coroutine expected, got number)

        """)
  }

  @Test func xpcallHandlersGetTheErrorAndTheStack() throws {
    #expect(
      try output(of: "print(xpcall(function(a) error(a, 0) end, function(m) return 'H' .. m end, 'x'))")
        == "false\tHx\n")
    #expect(try output(of: "print(xpcall(function(...) return ... end, print, 1, 2))") == "true\t1\t2\n")
    let yielding =
      "print(coroutine.wrap(function() return xpcall(function() return coroutine.yield(1) end, print) end)())"
    #expect(try output(of: yielding) == "1\n")
  }

  @Test func debugHasATracebackOnly() throws {
    #expect(try output(of: "print(debug.traceback('m'))").hasPrefix("m\nstack traceback:"))
    #expect(try output(of: "print(next(debug, 'traceback'))") == "nil\n")
  }

  @Test func exitUnwindsThroughPcallAndCoroutines() throws {
    let harness = try Harness()
    harness.runtime.define("exit") { call throws(MoontraceError) in
      call.requestExit(Int32(truncatingIfNeeded: try call.optionalInteger(1) ?? 0))
      return []
    }
    try harness.publish()
    #expect(harness.error("exit(3)") == "exit 3")
    #expect(
      harness.error("while true do pcall(function() coroutine.wrap(function() pcall(exit, 4) end)() end) end")
        == "exit 4")
    #expect(harness.error("xpcall(exit, function() while true do end end, 5) while true do end") == "exit 5")
    #expect(
      harness.error("local x <close> = setmetatable({}, {__close = function() while true do end end}) exit()")
        == "exit 0")
    #expect(harness.error("pcall(os.exit, false)") == "exit 1")
    #expect(harness.error("x y") == "x.lua:1: syntax error near 'y'")
    #expect(harness.error("error('an ordinary one')") == "x.lua:1: an ordinary one")
    try harness.run("print('usable')")
  }

  @Test func deepRecursionIsAnError() throws {
    let harness = try Harness(memory: 256 << 20)
    #expect(harness.error("local function f() return 1 + f() end\nf()").hasPrefix("x.lua:1: stack overflow"))
    #expect(harness.error("local function f(s) return (s:gsub('.', f)) end\nf('x')").contains("C stack overflow"))
    #expect(
      harness.error("local function f() local ok, e = pcall(f) if not ok then error(e, 0) end end\nf()").contains(
        "stack overflow"))
    #expect(harness.error("local function f() coroutine.wrap(f)() end\nf()").contains("C stack overflow"))
    #expect(
      harness.error(
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end\nprint(t.x)"
      ).contains("stack overflow"))
    #expect(harness.error("load(string.rep('(', 1000) .. '1')()").contains("nil"))
    try harness.run("print('usable')")
    #expect(harness.printed() == "usable\n")
  }

  @Test func closingCoroutinesInAChainIsBounded() throws {
    let text = """
      local last
      for i = 1, 5000 do
        local inner = last
        last = coroutine.create(function()
          local close = function() if inner then assert(coroutine.close(inner)) end end
          local x <close> = setmetatable({}, { __close = close })
          coroutine.yield()
        end)
        coroutine.resume(last)
      end
      print(coroutine.close(last))
      """
    #expect(try output(of: text).contains("C stack overflow"))
  }
}
