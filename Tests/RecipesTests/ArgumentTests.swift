import Recipes
import Support
import Testing

private let sample = RecipeHeader(
  name: "sample", summary: "A sample",
  options: [
    RecipeOption(name: "pid", short: "p", type: .integer),
    RecipeOption(name: "failed", short: "x", type: .boolean),
    RecipeOption(name: "verbose", short: "v", type: .boolean, defaultValue: .boolean(true)),
    RecipeOption(name: "max_depth", type: .integer, defaultValue: .integer(3)),
    RecipeOption(name: "ratio", type: .number),
    RecipeOption(name: "name", short: "n"),
    RecipeOption(name: "wait", short: "w", type: .duration),
    RecipeOption(name: "buffer", type: .size),
    RecipeOption(name: "out", short: "o", type: .file),
    RecipeOption(name: "sort", type: .string, choices: [.string("count"), .string("time")]),
  ])

/// As of programs in C: the owner reads the values' texts.
private let program: RecipeHeader = {
  var every = RecipeOption(name: "every", type: .boolean, defaultValue: .boolean(true))
  every.answersToEnable = true
  var size = RecipeOption(name: "size")
  size.form = ValueForm(placeholder: "INTEGER", expectation: "an integer from 0 to 255")
  return RecipeHeader(name: "program", options: [every, size])
}()

private func parse(_ line: String, with header: RecipeHeader = sample) throws(MoontraceError) -> ParsedOptions {
  try header.parseArguments(line.split(separator: " ").map(String.init))
}

private func failure(_ line: String, with header: RecipeHeader = sample) -> String {
  do {
    _ = try parse(line, with: header)
    return "no error"
  } catch {
    return error.code == .usage ? error.description : "code \(error.code)"
  }
}

@Suite struct ArgumentTests {
  @Test(arguments: [
    ("--pid 12", "pid", OptionValue.integer(12)), ("--pid=12", "pid", .integer(12)), ("-p 12", "pid", .integer(12)),
    ("-p12", "pid", .integer(12)), ("-xp12", "pid", .integer(12)), ("--pid -5", "pid", .integer(-5)),
    ("-p -0x10", "pid", .integer(-16)), ("--pid 0xffffffffffffffff", "pid", .integer(-1)),
    ("--pid -9223372036854775808", "pid", .integer(.min)), ("--pid 1 --pid 2", "pid", .integer(2)),
    ("-xv", "failed", .boolean(true)), ("--failed", "failed", .boolean(true)),
    ("--no-verbose", "verbose", .boolean(false)), ("--failed --no-failed", "failed", .boolean(false)),
    ("--max-depth 4", "max_depth", .integer(4)), ("--max_depth=4", "max_depth", .integer(4)),
    ("--ratio -1.5e3", "ratio", .number(-1500)), ("--ratio 0x10", "ratio", .number(16)),
    ("--name --failed", "name", .string("--failed")), ("--name=", "name", .string("")),
    ("--name=a=b", "name", .string("a=b")), ("-w 100ms", "wait", .duration(0.1)),
    ("--buffer 8M", "buffer", .size(8 << 20)),
    ("--sort time", "sort", .string("time")), ("-o a/b", "out", .file("a/b")), ("--out=-", "out", .file("-")),
  ])
  func readsAValue(line: String, name: String, value: OptionValue) throws {
    #expect(try parse(line).values[name] == value)
  }

  @Test func fillsInDefaultsAndLeavesOthersOut() throws {
    let expected: [String: OptionValue] = [
      "failed": .boolean(false), "verbose": .boolean(true), "max_depth": .integer(3),
    ]
    #expect(try parse("").values == expected)
  }

  @Test func keepsPositionalArgumentsInOrder() throws {
    #expect(try parse("a -x b -- -p --").positional == ["a", "b", "-p", "--"])
    #expect(try parse("- -5 -.5").positional == ["-", "-5", "-.5"])
  }

  @Test func passesEverythingToAScriptWithoutHeader() {
    #expect(ParsedOptions(withoutHeader: ["-x", "--", "a"]).positional == ["-x", "--", "a"])
  }

  @Test func helpEndsReading() throws {
    for line in ["--help", "-h", "-xh", "--help --bogus", "-x --help"] { #expect(try parse(line).helpRequested) }
    #expect(try !parse("-- --help").helpRequested)
    let required = RecipeHeader(name: "r", options: [RecipeOption(name: "file", required: true)])
    #expect(try parse("-h", with: required).helpRequested)
  }

  /// What is an option of the command that runs the recipe is told apart; the recipe's own come first.
  @Test func optionsOfTheCommandStandBeforeTheName() throws {
    let header = RecipeHeader(name: "r", options: [RecipeOption(name: "pid", short: "p")])
    let outer = ["-d", "--duration", "-p", "--pid"]
    #expect(try header.parseArguments(["-p", "3"], outer: outer).values["pid"] == .string("3"))
    for option in ["-d", "--duration=1", "--duration"] {
      let error = try #require(throws: MoontraceError.self) {
        try header.parseArguments([option, "1"], outer: outer)
      }
      let name = option.prefix { $0 != "=" }
      #expect(error.message == "unknown option '\(name)'")
      #expect(error.remedy == "\(name) of moontrace run stands before the name: moontrace run \(name) … r")
    }
  }

  @Test func aRecipeMayTakeTheLetterOfHelp() throws {
    let host = RecipeHeader(name: "r", options: [RecipeOption(name: "host", short: "h")])
    #expect(try parse("-h here", with: host).values["host"] == .string("here"))
  }

  @Test(arguments: [
    ("--pdi 3", "unknown option '--pdi' (did you mean '--pid'?)"),
    ("--fail", "unknown option '--fail' (did you mean '--failed'?)"),
    ("--quux", "unknown option '--quux' (--help lists the options; -- ends them)"),
    ("-q", "unknown option '-q' (--help lists the options; -- ends them)"),
    ("-X", "unknown option '-X' (did you mean '-x'?)"),
    ("--pid", "--pid needs a value: an integer"),
    ("-p", "--pid needs a value: an integer"),
    ("--pid abc", "--pid: expected an integer, got 'abc'"),
    ("--pid=", "--pid: expected an integer, got ''"),
    ("--pid 1.5", "--pid: expected an integer, got '1.5'"),
    ("--pid 0x", "--pid: expected an integer, got '0x'"),
    ("--pid 9223372036854775808", "--pid: '9223372036854775808' is out of range (64-bit values fit)"),
    ("--ratio nan", "--ratio: expected a number, got 'nan'"),
    ("--ratio 1e999", "--ratio: '1e999' is out of range (64-bit values fit)"),
    ("--failed=1", "--failed takes no value, got '1' (--failed turns it on, --no-failed off)"),
    ("--no-pid", "unknown option '--no-pid' (--help lists the options; -- ends them)"),
    ("--wait 5x", "--wait: expected a duration such as 10, 1.5, 100ms, 2s, 5m or 1h, got '5x'"),
    ("--buffer -1", "--buffer: expected a size such as 4096, 64K, 8M or 1G, got '-1'"),
    ("--sort cuont", "--sort: 'cuont' is not one of count, time (did you mean 'count'?)"),
  ])
  func saysWhatIsWrong(line: String, expected: String) {
    #expect(failure(line) == expected)
  }

  /// Whatever is typed, the answer is a value or a usage error.
  @Test func anyTextIsReadOrRefused() {
    let seed = UInt64.random(in: 1 ... .max)
    print("seed \(seed)")
    var state = seed
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let pieces = [
      "-", "--", "p", "x", "w", "pid", "no-", "verbose", "=", "0x", "9", "8M", "é", " ", "ms", "e", ".", "h",
    ]
    for _ in 0..<2000 {
      let arguments = (0..<next(4)).map { _ in (0..<next(5)).map { _ in pieces[next(pieces.count)] }.joined() }
      do {
        let parsed = try sample.parseArguments(arguments)
        #expect(parsed.positional.allSatisfy(arguments.contains))
      } catch {
        #expect(error.code == .usage, "\(arguments): \(error)")
      }
    }
  }

  @Test func missesARequiredOption() {
    let header = RecipeHeader(name: "r", options: [RecipeOption(name: "port", type: .integer, required: true)])
    #expect(failure("x", with: header) == "--port is required (it takes an integer)")
    #expect(failure("--port 1", with: header) == "no error")
  }
}

@Suite struct QuantityTests {
  @Test(arguments: [
    ("10", 10), ("1.5", 1.5), ("100ms", 0.1), ("250us", 0.00025), ("2s", 2), ("5m", 300), ("1h", 3600), ("0", 0),
    (".5", 0.5),
  ])
  func durations(text: String, seconds: Double) throws {
    #expect(abs(try parseDuration(text) - seconds) < 1e-12)
  }

  @Test(arguments: ["", "s", "-1", "1x", "1 s", "nan", "inf", "1e999", "0x10", "1d"])
  func notDurations(text: String) {
    #expect(throws: MoontraceError.self) { try parseDuration(text) }
  }

  @Test(arguments: [("4096", 4096), ("64K", 65536), ("64k", 65536), ("8M", 8 << 20), ("1G", 1 << 30), ("0x1000", 4096)])
  func sizes(text: String, bytes: Int) throws {
    #expect(try parseSize(text) == bytes)
  }

  @Test(arguments: ["", "K", "-1", "1.5M", "8MB", "9999999999T", "99999999999999999999", "0xffffffffffffffff"])
  func notSizes(text: String) {
    #expect(throws: MoontraceError.self) { try parseSize(text) }
  }

  @Test func valuesPrintAsTheyAreTyped() {
    #expect(OptionValue.size(8 << 20).description == "8M")
    #expect(OptionValue.size(1000).description == "1000")
    #expect(OptionValue.duration(0.1).description == "100ms")
    #expect(OptionValue.duration(90).description == "90s")
    #expect(OptionValue.number(99).description == "99")
  }

  @Test func booleansThatAnswerToEnable() throws {
    #expect(try parse("--disable-every", with: program).values["every"] == .boolean(false))
    #expect(try parse("--disable-every --enable-every", with: program).values["every"] == .boolean(true))
    #expect(failure("--enable-every=1", with: program).contains("--every takes no value, got '1'"))
    #expect(failure("--enable-failed").contains("unknown option '--enable-failed'"))
  }

  @Test func valuesThatTheirOwnerReads() throws {
    #expect(try parse("--size 0x10", with: program).values["size"] == .string("0x10"))
    #expect(failure("--size", with: program) == "--size needs a value: an integer from 0 to 255")
    #expect(program.helpText(programName: "x", takesArguments: false).hasPrefix("Usage: x [OPTION]...\n"))
    #expect(program.helpText(programName: "x").contains("--size INTEGER"))
  }
}
