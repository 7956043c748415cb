import FileTestSupport
import LuaRuntime
import Support
import Testing

@Suite struct SandboxTests {
  @Test(arguments: [
    "dofile", "loadfile", "string.dump", "package", "debug.getregistry", "debug.sethook", "debug.setmetatable",
    "debug.getupvalue", "debug.getinfo", "os.setlocale", "require('string').dump", "getmetatable('').__index.dump",
    "rawget(io, 'stdin')",
  ])
  func isAbsent(name: String) throws {
    #expect(try output(of: "print(\(name))") == "nil\n")
  }

  @Test func loadTakesTextOnly() throws {
    let bytecode = #"'\27Lua\x54\0\x19\x93\r\n\x1a\n\4\x08\x08' .. string.rep('\0', 40)"#
    #expect(try output(of: "print(load(\(bytecode)))").contains("attempt to load a binary chunk"))
    #expect(try output(of: "print(load(\(bytecode), 'x', 'b'))").contains("attempt to load a binary chunk"))
    #expect(
      try output(
        of: "local once = true print(load(function() if once then once = false return \(bytecode) end end, 'x', 'bt'))"
      )
      .contains("attempt to load a binary chunk"))
    #expect(try Harness().error("\u{1b}Lua") == "x.lua: compiled Lua is not run (give the source text)")
    #expect(
      try output(of: "print(load('return x', '=c', 't', {x = 5})(), load('return 1')(), load('+')) ")
        == "5\t1\tnil\t[string \"+\"]:1: unexpected symbol near '+'\n")
  }

  @Test func requireFindsTheHostsModulesOnly() throws {
    let harness = try Harness(modules: { name in
      switch name {
      case "moontrace.hist":
        ("print('loading', ...) return { draw = function() return 'bars' end }", "=[moontrace.hist]")
      case "moontrace.bad": ("x = = 1", "=[moontrace.bad]")
      default: nil
      }
    })
    try harness.run(
      """
      local hist = require 'moontrace.hist'
      print(hist.draw(), require 'moontrace.hist' == hist, require 'math' == math)
      """
    )
    #expect(harness.printed() == "loading\tmoontrace.hist\nbars\ttrue\ttrue\n")
    #expect(
      harness.error("\nrequire 'socket'")
        == "x.lua:2: there is no module 'socket': require knows moontrace's own modules only;"
        + " put other code into the script"
    )
    #expect(harness.error("require 'moontrace.bad'").contains("[moontrace.bad]:1: unexpected symbol"))
  }

  @Test func finalizersAreRefused() throws {
    let harness = try Harness()
    let message = "scripts have no finalizers (__gc): use a variable with __close, or at_exit"
    #expect(harness.error("setmetatable({}, { __gc = function() while true do end end })") == "x.lua:1: \(message)")
    #expect(harness.error("setmetatable({}, { __gc = true })") == "x.lua:1: \(message)")
    try harness.run(
      "local mt = {} setmetatable({}, mt) mt.__gc = function() while true do end end collectgarbage() print('ok')")
    #expect(harness.printed() == "ok\n")
    #expect(try output(of: "print(getmetatable(io.stdout), getmetatable(io))") == "false\tfalse\n")
  }

  @Test func setmetatableIsLuasOtherwise() throws {
    let harness = try Harness()
    #expect(
      harness.error("setmetatable({})")
        == "x.lua:1: bad argument #2 to 'setmetatable' (nil or table expected, got no value)")
    #expect(
      harness.error("setmetatable(1, {})") == "x.lua:1: bad argument #1 to 'setmetatable' (table expected, got number)")
    #expect(
      harness.error("setmetatable(setmetatable({}, {__metatable = 1}), {})")
        == "x.lua:1: cannot change a protected metatable")
    try harness.run("local t = {} print(setmetatable(t, nil) == t, getmetatable(setmetatable(t, {})) ~= nil)")
    #expect(harness.printed() == "true\ttrue\n")
  }

  @Test(arguments: [
    ("io.open('/etc/passwd')", "reading /etc/passwd needs --allow fs.read (or fs.read=/etc/passwd)"),
    ("io.lines('/etc/passwd')", "reading /etc/passwd needs --allow fs.read (or fs.read=/etc/passwd)"),
    ("io.input('/etc/passwd')", "reading /etc/passwd needs --allow fs.read (or fs.read=/etc/passwd)"),
    ("io.read()", "reading /dev/stdin needs --allow fs.read (or fs.read=/dev/stdin)"),
    ("io.lines()", "reading /dev/stdin needs --allow fs.read (or fs.read=/dev/stdin)"),
    ("io.input()", "reading /dev/stdin needs --allow fs.read (or fs.read=/dev/stdin)"),
    ("io.stdin:read()", "reading /dev/stdin needs --allow fs.read (or fs.read=/dev/stdin)"),
    ("io.open('/tmp/x', 'w')", "writing /tmp/x needs --allow fs.write (or fs.write=/tmp/x)"),
    ("io.open('/tmp/x', 'a+b')", "reading /tmp/x needs --allow fs.read (or fs.read=/tmp/x)"),
    ("io.output('/tmp/x')", "writing /tmp/x needs --allow fs.write (or fs.write=/tmp/x)"),
    ("io.tmpfile()", "writing /tmp needs --allow fs.write (or fs.write=/tmp)"),
    ("os.tmpname()", "writing /tmp needs --allow fs.write (or fs.write=/tmp)"),
    ("os.remove('/tmp/x')", "writing /tmp/x needs --allow fs.write (or fs.write=/tmp/x)"),
    ("os.rename('/tmp/x', '/tmp/y')", "writing /tmp/x needs --allow fs.write (or fs.write=/tmp/x)"),
    ("io.popen('id')", "running 'id' needs --allow exec"),
    ("os.execute('id')", "running 'id' needs --allow exec"),
    ("os.execute()", "running '/bin/sh' needs --allow exec"),
  ])
  func isRefused(call: String, message: String) throws {
    let harness = try Harness()
    let failure = harness.failure("\n" + call)
    #expect(failure?.asError.description == "x.lua:2: " + message)
    #expect(failure?.asError.code == .notPermitted)
  }

  @Test func harmlessPartsOfOsAreThere() throws {
    #expect(
      try output(
        of: "print(type(os.time()), type(os.clock()), type(os.date()), os.getenv('NO_SUCH_THING'), os.difftime(2, 1))")
        == "number\tnumber\tstring\tnil\t1.0\n")
  }

  @Test func allowedFilesAreReadAndWritten() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("f")
    let harness = try Harness(allow: ["fs.read=\(directory.name)", "fs.write=\(directory.name)"])
    try harness.run("local f <close> = assert(io.open('\(path)', 'w')) f:write('a\\nb\\n')")
    try harness.run("for line in io.lines('\(path)') do print(line) end print(io.open('\(path)x'))")
    #expect(harness.printed() == "a\nb\nnil\t\(path)x: No such file or directory\t2\n")
    #expect(
      harness.error("\nio.lines('\(path)x')") == "x.lua:2: cannot open file '\(path)x' (No such file or directory)")
    #expect(harness.error("io.open('\(path)', 'rw')") == "x.lua:1: bad argument #2 to 'open' (invalid mode)")
    #expect(harness.error("io.open('/etc/passwd')").contains("needs --allow fs.read"))
    try harness.run("print(os.rename('\(path)', '\(path)2'), os.remove('\(path)2'))")
  }

  @Test func allowedCommandsRun() throws {
    #expect(try output(of: "print(io.popen('echo hi'):read())", allow: ["exec"]) == "hi\n")
  }
}
