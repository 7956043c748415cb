import Packages
import Testing

struct YAMLTests {
  @Test func blockAndFlow() throws {
    let source = """
      # a package
      name: opensnoop
      maps:
        - {name: events, ident: "events"}
        - name: start
          sample: ~
      empty: []
      text: |
        two
        lines
      """
    let expected =
      #"{"name":"opensnoop","maps":[{"name":"events","ident":"events"},{"name":"start","sample":null}],"#
      + #""empty":[],"text":"two\nlines"}"#
    #expect(text(try yaml(source).json()) == expected)
    #expect(try yaml("") == .null)
  }

  @Test(arguments: [
    ("null", JSONValue.null), ("~", .null), ("true", .boolean(true)), ("False", .boolean(false)),
    ("yes", .string("yes")), ("12", .integer(12)), ("+12", .integer(12)), ("-7", .integer(-7)), ("007", .integer(7)),
    ("0x1F", .integer(31)), ("0o17", .integer(15)), ("0xffffffffffffffff", .unsigned(.max)),
    ("18446744073709551615", .unsigned(.max)), ("1.5", .number(1.5)), ("1.", .number(1)), (".5", .number(0.5)),
    ("1e3", .number(1000)), ("-.5E+1", .number(-5)), ("0x", .string("0x")), ("0xg", .string("0xg")),
    ("1_000", .string("1_000")), ("1:30", .string("1:30")), ("-x", .string("-x")), (".", .string(".")),
    ("1e", .string("1e")), ("0.3.4", .string("0.3.4")), ("'12'", .string("12")), ("\"true\"", .string("true")),
    ("!!str 12", .string("12")), ("! 12", .string("12")), ("!!int 12", .integer(12)), ("''", .string("")),
  ])
  func scalarsOfTheCoreSchema(source: String, value: JSONValue) throws {
    #expect(try yaml("a: \(source)") == .object([JSONMember("a", value)]))
  }

  @Test func aliasesStandForTheirAnchors() throws {
    let source = "a: &x {k: [1, 2]}\nb: *x\nc: [*x, &y 3, *y]"
    let expected = #"{"a":{"k":[1,2]},"b":{"k":[1,2]},"c":[{"k":[1,2]},3,3]}"#
    #expect(text(try yaml(source).json()) == expected)
  }

  @Test(arguments: [
    ("a: [1", "YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
    ("a: 1\na: 2", "x.yaml:2:1: YAML: a second member 'a' in one object"),
    ("a: *x", "x.yaml:1:4: YAML: no anchor '&x' stands before this alias"),
    ("a: &x [*x]", "no anchor '&x' stands before this alias"),
    ("? [a]\n: 1", "x.yaml:1:3: YAML: a member's name is expected, plain or in quotes"),
    ("<<: {a: 1}", "merge keys are not read"), ("a: 1\n---\nb: 2", "a second document; one is expected"),
    ("a: !mine 1", "x.yaml:1:4: YAML: '1' with the tag '!mine'"), ("a: !!int x", "'x' with the tag"),
    ("a: !mine [1]", "the tag '!mine' is not known"), ("a: .inf", "'.inf' is a number that JSON does not have"),
    ("a: -.INF", "a number that JSON"), ("a: .nan", "a number that JSON"), ("a: 1e999", "a number that JSON"),
    ("a: 0x1ffffffffffffffff", "a number that JSON"), ("\tx", "x.yaml:1:1: YAML: while scanning"),
    ("a: \"x", "YAML: while scanning a quoted scalar"), ("a: \u{1}", "x.yaml:byte 3: YAML: control characters"),
  ])
  func errorsNameThePlace(source: String, message: String) throws {
    let found = try #require(refusal { _ = try yaml(source) })
    #expect(found.contains(message), "\(found)")
    #expect(found.hasPrefix("x.yaml:"))
  }

  @Test func billionLaughsAreRefused() {
    var source = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for level in 1...9 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      source += "a\(level): &a\(level) [\(aliases)]\n"
    }
    #expect(refusal { _ = try yaml(source) }?.contains("more than 1000000 values") == true)

    let long = String(repeating: "x", count: 100_000)
    let copies = Array(repeating: "*a", count: 1000).joined(separator: ", ")
    #expect(refusal { _ = try yaml("[&a \(long), \(copies)]") }?.contains("more than 16 MiB of text") == true)
  }

  @Test func depthIsLimitedThroughAliasesToo() throws {
    let deep = { (levels: Int, inner: String) in
      String(repeating: "[", count: levels) + inner + String(repeating: "]", count: levels)
    }
    _ = try yaml(deep(128, ""))
    #expect(refusal { _ = try yaml(deep(129, "")) }?.contains("deeper than 128 levels") == true)
    #expect(refusal { _ = try yaml(deep(100_000, "")) }?.contains("deeper than 128 levels") == true)
    let chain = "a: &a \(deep(100, ""))\nb: \(deep(100, "*a"))"
    #expect(refusal { _ = try yaml(chain) }?.contains("deeper than 128 levels through '*a'") == true)
  }

  @Test func blockStyleIsWritten() throws {
    let value = try json(
      #"{"a":{"b":[1,{"c":"x y","d":"yes"},[2,[]]],"e":{}},"12":"12","f":"a: b","g":null,"h":"","i":".rodata"}"#)
    let expected = """
      a:
        b:
          - 1
          - c: x y
            d: "yes"
          - - 2
            - []
        e: {}
      "12": "12"
      f: "a: b"
      g: null
      h: ""
      i: .rodata

      """
    #expect(text(value.yaml()) == expected)
    #expect(try JSONValue(yaml: value.yaml(), name: "x") == value)
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let scalars = (0..<0x300).compactMap(Unicode.Scalar.init) + ["\u{2028}", "\u{feff}", "\u{ffff}", "\u{10ffff}"]
    let words = [
      "~", "null", "0x1", "1e3", "-", "- a", "# a", "a #b", "a ", " a", "Yes", "...", "---", ".5", "<<", "!x", "a: b",
    ]
    var values: [JSONValue] = scalars.map { .string("\($0)") } + words.map { .string($0) }
    values += [.unsigned(.max), .integer(.min), .number(1e300), .number(-0.5), .boolean(true), .null]
    let members = values.enumerated().map { JSONMember("\($0)", $1) }
    let names = scalars.map { JSONMember("x\($0)", .null) } + words.map { JSONMember($0, .integer(1)) }
    let long = JSONMember(String(repeating: "long ", count: 1000), .array([.object(names)]))
    let value = JSONValue.object([long] + members + [JSONMember("list", .array(values))])
    #expect(try JSONValue(yaml: value.yaml(), name: "x") == value)
  }
}
