import Recipes
import Support
import Testing

/// A header with one option that has these fields besides its name, `pid` unless they say otherwise.
private func header(option fields: [String: RecipeValue]) throws(MoontraceError) -> RecipeHeader {
  try header(options: [.table(["name": .string("pid")].merging(fields) { $1 })])
}

private func header(options: [RecipeValue]) throws(MoontraceError) -> RecipeHeader {
  try RecipeHeader(.table(["name": .string("x"), "options": .list(options)]))
}

private func message(_ body: () throws(MoontraceError) -> RecipeHeader) -> String {
  do {
    _ = try body()
    return "no error"
  } catch {
    return error.code == .scriptFailed ? error.description : "code \(error.code)"
  }
}

@Suite struct HeaderTests {
  @Test func readsEveryField() throws {
    let header = try RecipeHeader(
      .table([
        "name": .string("opensnoop"), "summary": .string("Trace file opens"), "version": .string("1.2"),
        "category": .string("files"),
        "needs": .list([.string("fs.read=/etc"), .string("net"), .string("kernel.write")]),
        "examples": .list([.string("opensnoop -x\nPID  COMM")]),
        "options": .list([
          .table([
            "name": .string("max-events"), "short": .string("n"), "type": .string("integer"), "default": .integer(10),
            "help": .string("stop after so many"), "choices": .list([.integer(1), .integer(10)]),
          ])
        ]),
      ]))
    let option = RecipeOption(
      name: "max-events", short: "n", type: .integer, defaultValue: .integer(10), help: "stop after so many",
      choices: [.integer(1), .integer(10)])
    #expect(
      header
        == RecipeHeader(
          name: "opensnoop", summary: "Trace file opens", version: "1.2", category: "files", options: [option],
          needs: [Capability(.readFiles, scope: "/etc"), Capability(.network), Capability(.changeKernel)],
          examples: ["opensnoop -x\nPID  COMM"]))
    #expect(option.luaName == "max_events")
    #expect(option.flag == "--max-events")
  }

  @Test func emptyTablesMayComeAsListsAndListsAsTables() throws {
    #expect(try RecipeHeader(.table(["name": .string("x"), "options": .table([:]), "needs": .list([])])).options == [])
    #expect(
      message { () throws(MoontraceError) in try RecipeHeader(.list([])) }
        == "recipe: 'name' is missing (give the recipe a name, name = \"…\")")
  }

  @Test(arguments: [
    ("integer", RecipeValue.integer(-3), OptionValue.integer(-3)),
    ("number", .integer(2), .number(2)), ("number", .number(0.5), .number(0.5)),
    ("string", .string("a b"), .string("a b")), ("boolean", .boolean(true), .boolean(true)),
    ("duration", .number(1.5), .duration(1.5)), ("duration", .string("100ms"), .duration(0.1)),
    ("size", .integer(4096), .size(4096)), ("size", .string("8M"), .size(8 << 20)),
  ])
  func defaultsAreTyped(type: String, written: RecipeValue, value: OptionValue) throws {
    let header = try header(option: ["type": .string(type), "default": written])
    #expect(header.options[0].defaultValue == value)
  }

  @Test func namesTheKeyOrOptionToBlame() {
    let cases: [([String: RecipeValue], String)] = [
      (["nmae": .string("x")], "recipe: unknown key 'nmae' (did you mean 'name'?)"),
      (["name": .integer(5)], "recipe: 'name' must be a string, got integer 5"),
      (
        ["name": .string("Open Snoop")],
        "recipe: name: 'Open Snoop' is not an identifier (a lower-case letter, then a-z, 0-9, _ and -)"
      ),
      (["name": .string("x"), "summary": .string("a\nb")], "recipe: 'summary' must be one line"),
      (
        ["name": .string("x"), "summary": .string("\u{1b}[2J")],
        "recipe: 'summary' holds control characters (write plain text)"
      ),
      (["name": .string("x"), "options": .string("p")], "recipe: 'options' must be a list, { … }, got string 'p'"),
      (
        ["name": .string("x"), "examples": .list([.integer(1)])],
        "recipe: 'examples' must hold strings only, got integer 1"
      ),
      (
        ["name": .string("x"), "needs": .list([.string("fs.raed")])],
        "recipe: needs: there is no capability 'fs.raed' (did you mean 'fs.read'?)"
          + " (there are fs.read, fs.write, net, exec, kernel.write)"
      ),
      (
        ["name": .string("x"), "needs": .list([.string("exec=ls")])],
        "recipe: needs: capability 'exec' takes no scope, got 'ls'"
      ),
      (
        ["name": .string("x"), "needs": .list([.string("net=")])],
        "recipe: needs: capability 'net=' has an empty scope (write net=HOST, or net for all)"
      ),
    ]
    for (fields, expected) in cases {
      #expect(message { () throws(MoontraceError) in try RecipeHeader(.table(fields)) } == expected)
    }
    #expect(
      message { () throws(MoontraceError) in try RecipeHeader(.other("function")) }
        == "recipe: expected a table of named fields, got function")
  }

  @Test func refusesOptionsThatMakeNoSense() {
    let cases: [([String: RecipeValue], String)] = [
      (["shrot": .string("p")], "recipe: options[1]: unknown key 'shrot' (did you mean 'short'?)"),
      (["name": .nil], "recipe: options[1]: 'name' is missing"),
      (
        ["name": .string("1st")],
        "recipe: option '1st': '1st' is not an identifier (a lower-case letter, then a-z, 0-9, _ and -)"
      ),
      (["name": .string("end")], "recipe: option 'end': opt.end is no Lua, 'end' is a keyword (rename it)"),
      (["name": .string("help")], "recipe: option 'help': --help already prints the recipe's help (rename it)"),
      (
        ["type": .string("int")],
        "recipe: option 'pid': unknown type 'int' (there are integer, number, string, boolean, duration, size, file)"
      ),
      (["type": .string("bolean")], "recipe: option 'pid': unknown type 'bolean' (did you mean 'boolean'?)"),
      (["short": .string("pid")], "recipe: option 'pid': 'short' must be one letter, got string 'pid'"),
      (["short": .string("1")], "recipe: option 'pid': 'short' must be one letter, got string '1'"),
      (["required": .integer(1)], "recipe: option 'pid': 'required' must be true or false, got integer 1"),
      (
        ["type": .string("integer"), "default": .string("7")],
        "recipe: option 'pid': 'default' must be an integer, got string '7'"
      ),
      (
        ["type": .string("size"), "default": .integer(-1)],
        "recipe: option 'pid': 'default' must be a size such as 4096, 64K, 8M or 1G, got integer -1"
      ),
      (
        ["type": .string("boolean"), "required": .boolean(true)],
        "recipe: option 'pid': a boolean can't have 'required' (it is given or it is not)"
      ),
      (
        ["default": .string("a"), "required": .boolean(true)],
        "recipe: option 'pid': a required option can't have a default (drop one of them)"
      ),
      (
        ["type": .string("integer"), "choices": .list([.integer(1), .string("b")])],
        "recipe: option 'pid': a choice must be an integer, got string 'b'"
      ),
      (
        ["default": .string("c"), "choices": .list([.string("a"), .string("b")])],
        "recipe: option 'pid': the default 'c' is not among the choices (there are a, b)"
      ),
      (
        ["type": .string("file"), "default": .string("/etc/passwd")],
        "recipe: option 'pid': a file can't have a default (only what the user names is written)"
      ),
      (
        ["type": .string("file"), "choices": .list([.string("a")])],
        "recipe: option 'pid': a file can't have choices (only what the user names is written)"
      ),
      (["choices": .list([])], "recipe: option 'pid': 'choices' is empty"),
    ]
    for (fields, expected) in cases {
      #expect(message { () throws(MoontraceError) in try header(option: fields) } == expected)
    }
  }

  @Test func refusesOptionsThatShareANameOrLetter() {
    func option(_ name: String, short: String? = nil, type: String = "string") -> RecipeValue {
      .table(["name": .string(name), "short": short.map { .string($0) } ?? .nil, "type": .string(type)])
    }
    #expect(
      message { () throws(MoontraceError) in try header(options: [option("a-b"), option("a_b")]) }
        == "recipe: option 'a_b' is declared twice")
    #expect(
      message { () throws(MoontraceError) in
        try header(options: [option("pid", short: "p"), option("port", short: "p")])
      }
        == "recipe: options 'pid' and 'port' share the letter -p")
    #expect(
      message { () throws(MoontraceError) in try header(options: [option("x", type: "boolean"), option("no-x")]) }
        == "recipe: option 'no-x' is also the negation of the boolean 'x' (declare one of them)")
  }
}
