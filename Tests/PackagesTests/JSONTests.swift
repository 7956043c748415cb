import Packages
import Testing

struct JSONTests {
  @Test func valuesOfEveryKind() throws {
    let text = #" { "a" : [ null , true,false, 0, -1, 1.5, 1e3, "x" ], "b":{}, "c":[] } "#
    let expected = JSONValue.object([
      JSONMember(
        "a",
        .array([
          .null, .boolean(true), .boolean(false), .integer(0), .integer(-1), .number(1.5), .number(1000), .string("x"),
        ])),
      JSONMember("b", .object([])),
      JSONMember("c", .array([])),
    ])
    #expect(try json(text) == expected)
    #expect(try json("\u{feff}7") == .integer(7))
  }

  @Test(arguments: [
    ("9223372036854775807", JSONValue.integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("9223372036854775808", .unsigned(1 << 63)), ("18446744073709551615", .unsigned(.max)),
    ("18446744073709551616", .number(18_446_744_073_709_551_616)), ("-9223372036854775809", .number(-0x1p63)),
    ("0.1", .number(0.1)), ("-0", .number(-0.0)), ("1E-2", .number(0.01)), ("5e-324", .number(.leastNonzeroMagnitude)),
  ])
  func numbersAreExact(text: String, value: JSONValue) throws {
    #expect(try json(text) == value)
    #expect(try json(written(value)) == value)
  }

  private func written(_ value: JSONValue) -> String { PackagesTests.text(value.json()) }

  @Test func membersKeepTheirOrder() throws {
    let text = #"{"z":1,"a":{"y":2,"b":3},"m":[{"q":4,"c":5}]}"#
    #expect(PackagesTests.text(try json(text).json()) == text)
  }

  @Test(arguments: [
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
    (#""\ud83d\ude00x""#, "😀x"), (#""\u0000""#, "\0"), ("\"é😀\"", "é😀"), (#""a\u0062c""#, "abc"),
  ])
  func escapes(text: String, value: String) throws {
    #expect(try json(text) == .string(value))
  }

  @Test func everyCharacterIsWrittenSoThatItIsReadAgain() throws {
    let scalars = (0..<0x300).compactMap(Unicode.Scalar.init) + ["\u{2028}", "\u{feff}", "\u{ffff}", "\u{10ffff}"]
    var all = ""
    all.unicodeScalars.append(contentsOf: scalars)
    let written = JSONValue.string(all).json()
    #expect(written.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
    #expect(try JSONValue(json: written, name: "x") == .string(all))
  }

  @Test func prettyText() throws {
    let value = try json(#"{"a":[1,{"b":[]}],"c":{}}"#)
    let expected = """
      {
        "a": [
          1,
          {
            "b": []
          }
        ],
        "c": {}
      }
      """
    #expect(text(value.json(isPretty: true)) == expected)
  }

  @Test(arguments: [
    ("", "1:1: JSON: a value is expected, the text ends"),
    ("{\n  \"a\": 1\n  \"b\": 2\n}", "3:3: JSON: ',' or '}' is expected, '\"' stands here"),
    ("{\"é\": x}", "1:7: JSON: a value is expected, 'x' stands here"),
    ("{a:1}", "1:2: JSON: a member's name in quotes is expected, 'a' stands here"),
    ("{\"a\" 1}", "1:6: JSON: ':' is expected after 'a', '1' stands here"),
    ("{\"a\":1,}", "1:8: JSON: a member's name in quotes is expected, '}' stands here"),
    ("{\"a\":1,\n\"a\":2}", "2:1: JSON: a second member 'a' in one object"),
    ("[1 2]", "1:4: JSON: ',' or ']' is expected, '2' stands here"),
    ("[1,]", "1:4: JSON: a value is expected, ']' stands here"),
    ("[1", "1:3: JSON: ',' or ']' is expected, the text ends"),
    ("1 2", "1:3: JSON: the end of the text is expected, '2' stands here"),
    ("tru", "1:1: JSON: 'true' is expected"), ("nul!", "1:1: JSON: 'null' is expected"),
    ("-", "1:2: JSON: a digit is expected, the text ends"), ("1.", "1:3: JSON: a digit is expected, the text ends"),
    ("1e+", "1:4: JSON: a digit is expected, the text ends"),
    ("01", "1:2: JSON: the end of the text is expected, '1' stands here"),
    ("1e999", "1:1: JSON: a number too large for 64 bits"),
    ("\"abc", "1:1: JSON: a string that begins here has no end"),
    ("\"a\nb\"", "1:3: JSON: a control character in a string; write it as \\u00XX"),
    ("\"\\x\"", "1:2: JSON: no such escape; there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"),
    ("\"\\", "1:2: JSON: a string ends in its escape"),
    ("\"\\u12\"", "1:2: JSON: \\u takes four hexadecimal digits"),
    ("\"\\u+123\"", "1:2: JSON: \\u takes four hexadecimal digits"),
    ("\"\\ud83d\"", "1:2: JSON: half of a surrogate pair"), ("\"\\ude00\"", "1:2: JSON: half of a surrogate pair"),
    ("\"\\ud83d\\u0041\"", "1:2: JSON: half of a surrogate pair"),
    ("\u{1}", "1:1: JSON: a value is expected, byte 0x1 stands here"),
  ])
  func errorsNameThePlaceAndWhatWasExpected(source: String, message: String) {
    #expect(refusal { _ = try json(source) } == "x.json:\(message)")
  }

  @Test func bytesThatAreNoTextAreRefused() {
    let broken: [UInt8] = [0x22, 0x61, 0xc3, 0x22]
    #expect(refusal { _ = try JSONValue(json: broken, name: "x") } == "x:1:1: JSON: a string that is not UTF-8")
  }

  @Test func depthAndCountAreLimited() throws {
    let deep = { (levels: Int) in String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
    _ = try json(deep(128))
    for levels in [129, 100_000] {
      #expect(refusal { _ = try json(deep(levels)) } == "x.json:1:129: JSON: nested deeper than 128 levels")
    }
    let many = "[" + String(repeating: "0,", count: 1_000_000) + "0]"
    #expect(refusal { _ = try json(many) }?.contains("more than 1000000 values") == true)
  }
}
