import CLuaBridge
import LuaRuntimeTestSupport
import Testing

@Suite struct ValuesTests {
  let fixture: LuaFixture

  init() throws { fixture = try LuaFixture() }

  /// The bytes that a Lua value becomes, or the problem.
  private func pack(_ type: String, _ value: String) throws -> String {
    try fixture.run("local bytes, problem = pack('\(type)', \(value)); return bytes or problem")
  }

  /// What bytes read as: the type and the value.
  private func unpack(_ type: String, _ hex: String) throws -> String {
    try fixture.run("local v = unpack('\(type)', '\(hex)'); return type(v) .. ' ' .. tostring(v)")
  }

  @Test(arguments: [
    ("u8", "ff", "number 255"), ("s8", "ff", "number -1"), ("u16", "0180", "number 32769"),
    ("s16", "0180", "number -32767"), ("u32", "ffffffff", "number 4294967295"), ("s32", "feffffff", "number -2"),
    ("u64", "ffffffffffffffff", "number -1"), ("s64", "0000000000000080", "number -9223372036854775808"),
    ("bool", "01", "boolean true"), ("bool", "00", "boolean false"), ("float", "0000003f", "number 0.5"),
    ("double", "000000000000e03f", "number 0.5"), ("enum", "07000000", "string RENAME"),
    ("enum", "05000000", "number 5"), ("pointer", "00000000000000ff", "number -72057594037927936"),
    ("text8", "6162000063646566", "string ab"), ("text8", "6162636465666768", "string abcdefgh"),
    ("text8", "616263", "string abc"), ("u32", "ffff", "nil nil"),
  ])
  func scalarsReadAsLuaValues(type: String, hex: String, expected: String) throws {
    #expect(try unpack(type, hex) == expected)
  }

  @Test func bytesReadWhole() throws {
    #expect(try fixture.run("return #unpack('bytes4', '00010200')") == "4")
  }

  @Test func listsAndRecordsReadAsTables() throws {
    #expect(try fixture.run("return table.concat(unpack('list', '010002000300'), ' ')") == "1 2 3")
    let packet = "d5000000" + "01000000" + "5000" + "6100000000000000" + "0000" + String(repeating: "0", count: 32)
    #expect(
      try fixture.run("return json(unpack('packet', '\(packet)09000a00'))")
        == #"{"endpoints":[{"address":1,"host":"a","port":80},{"address":0,"host":"","port":0}],"#
        + #""flags":-3,"tail":[9,10],"version":5}"#)
  }

  @Test(arguments: [
    ("u8", "255", "ff"), ("u8", "3.0", "03"), ("s8", "-128", "80"), ("u16", "0x1234", "3412"),
    ("u64", "-1", "ffffffffffffffff"), ("u64", "math.mininteger", "0000000000000080"),
    ("s64", "-2", "feffffffffffffff"),
    ("pointer", "-1", "ffffffffffffffff"), ("bool", "true", "01"), ("bool", "false", "00"),
    ("float", "0.5", "0000003f"),
    ("float", "2", "00000040"), ("double", "0.5", "000000000000e03f"), ("enum", "'RENAME'", "07000000"),
    ("enum", "3", "03000000"), ("text8", "'ab'", "6162000000000000"), ("text8", "'abcdefgh'", "6162636465666768"),
    ("bytes4", "'a\\0b\\0'", "61006200"), ("list", "{1, 2, 3}", "010002000300"), ("list", "{1}", "010000000000"),
    ("list", "{1, nil, 3}", "010000000300"), ("list", "{}", "000000000000"),
    ("endpoint", "{port = 80, host = 'a'}", "00000000500061000000000000000000"),
    ("endpoint", "{1, 80, 'a'}", "01000000500061000000000000000000"),
    ("endpoint", "{}", "00000000000000000000000000000000"),
  ])
  func luaValuesBecomeBytes(type: String, value: String, expected: String) throws {
    #expect(try pack(type, value) == expected)
  }

  @Test(arguments: [
    ("u8", "300", "expected 0…255 (u8), got 300"), ("u8", "-1", "expected 0…255 (u8), got -1"),
    ("s8", "128", "expected -128…127 (s8), got 128"), ("u32", "1 << 32", "expected 0…4294967295 (u32), got 4294967296"),
    ("u32", "'12'", "expected an integer (u32), got a string"), ("u32", "1.5", "expected an integer (u32), got 1.5"),
    ("u64", "2^64", "expected an integer (u64), got 1.844674407371e+19"),
    ("u32", "nil", "expected an integer (u32), got nil"), ("u32", "{}", "expected an integer (u32), got a table"),
    ("u32", "true", "expected an integer (u32), got true"),
    ("pointer", "'x'", "expected an integer (address), got a string"),
    ("bool", "1", "expected true or false, got 1"), ("double", "'1'", "expected a number, got a string"),
    ("float", "1e300", "expected a number that a float can hold, got 1e+300"),
    ("enum", "'RENAMED'", "the enum has no value 'RENAMED' (did you mean 'RENAME'?)"),
    ("enum", "'zzz'", "the enum has no value 'zzz'"),
    ("enum", "{}", "expected an enum value's name or an integer, got a table"),
    ("text8", "'abcdefghi'", "expected at most 8 bytes of text, got 9"),
    ("text8", "12", "expected a string, got 12"), ("bytes4", "'abc'", "expected a string of 4 bytes, got 3 bytes"),
    ("bytes4", "12", "expected a string of 4 bytes, got 12"), ("list", "5", "expected a list, got 5"),
    ("list", "{1, 2, 3, 4}", "expected at most 3 elements, got one at 4"),
    ("list", "{[0] = 1}", "expected at most 3 elements, got one at 0"),
    ("list", "{x = 1}", "expected a list, got a table with names in it"),
    ("list", "{1, 70000}", "element 2: expected 0…65535 (u16), got 70000"),
    ("endpoint", "5", "expected a table of members, got 5"),
    ("endpoint", "{prt = 1}", "endpoint has no member 'prt' (did you mean 'port'?)"),
    ("endpoint", "{1, 2, 'a', 4}", "endpoint has 3 members, got one at 4"),
    ("endpoint", "{1, port = 2}", "expected members all by name or all in a list, got a mixture"),
    ("endpoint", "{port = 'x'}", "member 'port': expected an integer (u16), got a string"),
    (
      "packet", "{endpoints = {{}, {host = 5}}}",
      "member 'endpoints': element 2: member 'host': expected a string, got 5"
    ),
    ("packet", "{tail = {1}}", "member 'tail': expected at most 0 elements, got one at 1"),
  ])
  func valuesThatDoNotFitAreRefused(type: String, value: String, expected: String) throws {
    #expect(try pack(type, value) == expected)
  }

  @Test func bitFieldsKeepTheirNeighbours() throws {
    #expect(try pack("packet", "{version = 5, flags = -3}").hasPrefix("55000000"))
    #expect(try pack("packet", "{flags = -1}").hasPrefix("70000000"))
    #expect(try pack("packet", "{version = 16}") == "member 'version': expected 0…15 (4 bits), got 16")
    #expect(try pack("packet", "{flags = 4}") == "member 'flags': expected -4…3 (3 bits), got 4")
  }

  /// Random integers of every width come back as they went in, or are refused when out of range.
  @Test func integersSurviveTheRoundTrip() throws {
    let seed = UInt64.random(in: 1...UInt64(Int64.max))
    let failure = try fixture.run(
      """
      math.randomseed(\(seed))
      local bits = { u8 = 8, s8 = 8, u16 = 16, s16 = 16, u32 = 32, s32 = 32, u64 = 64, s64 = 64 }
      for kind, width in pairs(bits) do
        for _ = 1, 500 do
          local value = math.random(0) >> math.random(0, 63)
          if math.random(2) == 1 then value = -value end
          local least = kind:sub(1, 1) == 'u' and 0 or -(1 << width - 1)
          local fits = width == 64 or value >= least and value < least + (1 << width)
          local bytes = pack(kind, value)
          if fits ~= (bytes ~= nil) or fits and unpack(kind, bytes) ~= value then return kind .. ' ' .. value end
        end
      end
      return 'none'
      """)
    #expect(failure == "none", "seed \(seed)")
  }
}

@Suite struct JSONTests {
  let fixture: LuaFixture

  init() throws { fixture = try LuaFixture() }

  @Test(arguments: [
    ("nil", "null"), ("true", "true"), ("9223372036854775807", "9223372036854775807"),
    ("math.mininteger", "-9223372036854775808"), ("0.5", "0.5"), ("1/0", "null"), ("0/0", "null"),
    ("'a\\\"b\\n'", #""a\"b\n""#), ("{}", "[]"), ("{1, 'x', {}}", #"[1,"x",[]]"#),
    ("{b = 1, a = {c = true}}", #"{"a":{"c":true},"b":1}"#),
    ("{[10] = 1, [9] = 2, a = 3, B = 4}", #"{"9":2,"10":1,"B":4,"a":3}"#), ("{1, nil, 3}", #"{"1":1,"3":3}"#),
    ("{[2] = 'x'}", #"{"2":"x"}"#), ("{a = 1, ab = 2, [''] = 3}", #"{"":3,"a":1,"ab":2}"#),
    ("{[1] = 1, x = 2}", #"{"1":1,"x":2}"#),
  ])
  func valuesBecomeJSON(value: String, expected: String) throws {
    #expect(try fixture.run("return json(\(value))") == expected)
  }

  @Test func otherThingsAreTheirText() throws {
    try fixture.map("counts")
    #expect(try fixture.run("return json({counts})").hasPrefix(#"["map 'counts' (hash"#))
    #expect(try fixture.run("return json(print)").hasPrefix(#""function"#))
  }

  @Test func aTableMayStandInSeveralPlaces() throws {
    #expect(try fixture.run("local t = {1}; return json({t, t})") == "[[1],[1]]")
  }

  @Test(arguments: [
    ("local t = {}; t[1] = t; return json(t)", "error: test:1: JSON: a table contains itself"),
    ("local t = {a = {}}; t.a.b = t; return json(t)", "error: test:1: JSON: a table contains itself"),
    (
      "local t = {}; for _ = 1, 64 do t = {t} end; return json(t)",
      "error: test:1: JSON: tables nest deeper than 64"
    ),
    (
      "return json({[true] = 1})",
      "error: test:1: JSON: a table has a boolean as a key; keys are strings or integers"
    ),
    ("return json({[1.5] = 1})", "error: test:1: JSON: a table has a number as a key; keys are strings or integers"),
  ])
  func whatJSONCannotHoldIsRefused(script: String, expected: String) throws {
    #expect(try fixture.run(script) == expected)
  }

  @Test func sixtyFourLevelsAreAllowed() throws {
    let nested = try fixture.run("local t = {}; for _ = 1, 63 do t = {t} end; return json(t)")
    #expect(nested == String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
  }

  @Test func eventsAreTheirRecord() throws {
    let stream = try fixture.stream("function(e) text = json({e}) end")
    fixture.drain(stream, try fixture.source(1))
    #expect(
      try fixture.run("return text")
        == #"[{"pid":1,"ret":-2,"at":18446744073709551615,"comm":"bash","address":0,"kind":"CLOSE","ratio":0.5}]"#)
  }

  @Test func staleEventsAreRefused() throws {
    let stream = try fixture.stream("function(e) kept = e end")
    fixture.drain(stream, try fixture.source(1))
    #expect(try fixture.run("return json({kept})").hasPrefix("error: test:1: stale event"))
  }
}
