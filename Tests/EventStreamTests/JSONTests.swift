import BTF
import Testing

struct JSONTests {
  @Test(arguments: [
    (ValueLayout.integer(size: 1, signed: true), [0xff as UInt8], "-1"),
    (.integer(size: 1, signed: false), [0xff], "255"),
    (.integer(size: 2, signed: true), [0x00, 0x80], "-32768"),
    (.integer(size: 4, signed: true), [0xfe, 0xff, 0xff, 0xff], "-2"),
    (.integer(size: 4, signed: false), [0xfe, 0xff, 0xff, 0xff], "4294967294"),
    (.integer(size: 8, signed: false), bytes(of: UInt64.max), "18446744073709551615"),
    (.integer(size: 8, signed: true), bytes(of: Int64.min), "-9223372036854775808"),
    (.integer(size: 16, signed: false), Array(0..<16), #""000102030405060708090a0b0c0d0e0f""#),
    (.boolean(size: 1), [2], "true"), (.boolean(size: 4), [0, 0, 0, 0], "false"),
    (.float(size: 8), bytes(of: (1.5).bitPattern), "1.5"),
    (.float(size: 8), bytes(of: Double.nan.bitPattern), "null"),
    (.pointer, bytes(of: 0xffff_8880_0000_1000 as UInt64), "18446612682070036480"),
    (.text(count: 4), Array("abcd".utf8), #""abcd""#),
    (.text(count: 4), [0x61, 0, 0x62, 0], #""a""#),
    (.bytes(size: 2), [0xab, 0x01], #""ab01""#),
    (.array(element: .integer(size: 2, signed: false), stride: 2, count: 2), [1, 0, 2, 0], "[1,2]"),
    (.array(element: .text(count: 2), stride: 2, count: 2), [0x61, 0x62, 0x63, 0], #"["ab","c"]"#),
  ])
  func everyKindReads(_ layout: ValueLayout, _ bytes: [UInt8], _ text: String) {
    #expect(Sample(layout, bytes).value == text)
  }

  @Test func enumsAreNamesOrElseIntegers() {
    let names = [EnumName(name: "OFF", value: 0), EnumName(name: "ON", value: 1), EnumName(name: "ALSO_ON", value: 1)]
    let signed = ValueLayout.enumeration(size: 4, signed: true, names: names + [EnumName(name: "BAD", value: -1)])
    #expect(Sample(signed, [1, 0, 0, 0]).value == #""ON""#)
    #expect(Sample(signed, [0xff, 0xff, 0xff, 0xff]).value == #""BAD""#)
    #expect(Sample(signed, [0xfe, 0xff, 0xff, 0xff]).value == "-2")
    let wide = ValueLayout.enumeration(size: 8, signed: false, names: [EnumName(name: "TOP", value: -1)])
    #expect(Sample(wide, bytes(of: UInt64.max)).value == #""TOP""#)
    #expect(Sample(wide, bytes(of: UInt64.max - 1)).value == "18446744073709551614")
  }

  @Test func recordsKeepTheirOrderAndEndWithALine() {
    let inner = RecordLayout(
      name: "point", size: 2,
      members: [
        MemberLayout(name: "y", offset: 1, value: .integer(size: 1, signed: true)),
        MemberLayout(name: "x", offset: 0, value: .integer(size: 1, signed: true)),
      ])
    let sample = Sample(
      [
        MemberLayout(name: "pid", offset: 4, value: .integer(size: 4, signed: false)),
        MemberLayout(name: "at", offset: 2, value: .record(inner)),
        MemberLayout(name: "all", offset: 0, value: .array(element: .record(inner), stride: 2, count: 2)),
      ], size: 8, [1, 2, 3, 4, 7, 0, 0, 0])
    #expect(sample.json == #"{"pid":7,"at":{"y":4,"x":3},"all":[{"y":2,"x":1},{"y":4,"x":3}]}"# + "\n")
  }

  @Test func bitFieldsReadFromTheirStorage() {
    func member(_ name: String, _ value: ValueLayout, _ offset: Int, _ width: Int) -> MemberLayout {
      MemberLayout(name: name, offset: 0, value: value, bits: .init(offset: offset, width: width, storage: 2))
    }
    let names = [EnumName(name: "THREE", value: 3)]
    let sample = Sample(
      [
        member("low", .integer(size: 4, signed: false), 0, 3),
        member("negative", .integer(size: 4, signed: true), 3, 5),
        member("flag", .boolean(size: 1), 8, 1),
        member("mode", .enumeration(size: 4, signed: false, names: names), 9, 2),
      ], size: 2, bytes(of: 0b101 | 0b11110 << 3 | 1 << 8 | 3 << 9 as UInt16))
    #expect(sample.json == #"{"low":5,"negative":-2,"flag":true,"mode":"THREE"}"# + "\n")
  }

  @Test func shortRecordsReadAsFarAsTheyGo() {
    let members = [
      MemberLayout(name: "a", offset: 0, value: .integer(size: 4, signed: false)),
      MemberLayout(name: "b", offset: 4, value: .integer(size: 8, signed: false)),
      MemberLayout(name: "t", offset: 12, value: .text(count: 16)),
      MemberLayout(name: "r", offset: 12, value: .record(RecordLayout(name: "", size: 8, members: []))),
      MemberLayout(
        name: "l", offset: 12, value: .array(element: .integer(size: 4, signed: false), stride: 4, count: 2)),
    ]
    let whole = [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0] + Array("hello".utf8)
    #expect(Sample(members, whole).json == #"{"a":1,"b":2,"t":"hello","r":null,"l":null}"# + "\n")
    #expect(Sample(members, Array(whole.prefix(12))).json == #"{"a":1,"b":2,"t":null,"r":null,"l":null}"# + "\n")
    #expect(Sample(members, Array(whole.prefix(11))).json == #"{"a":1,"b":null,"t":null,"r":null,"l":null}"# + "\n")
    #expect(Sample(members, []).json == #"{"a":null,"b":null,"t":null,"r":null,"l":null}"# + "\n")
  }

  @Test func flexibleMembersEndWithTheRecord() {
    func flexible(_ value: ValueLayout) -> [MemberLayout] { [MemberLayout(name: "v", offset: 1, value: value)] }
    let numbers = flexible(.array(element: .integer(size: 2, signed: false), stride: 2, count: 0))
    #expect(Sample(numbers, size: 1, [9, 1, 0, 2, 0, 3]).json == #"{"v":[1,2]}"# + "\n")
    #expect(Sample(numbers, size: 1, [9]).json == #"{"v":[]}"# + "\n")
    #expect(Sample(numbers, size: 1, []).json == #"{"v":null}"# + "\n")
    #expect(Sample(flexible(.text(count: 0)), size: 1, [9, 0x61, 0x62]).json == #"{"v":"ab"}"# + "\n")
    #expect(Sample(flexible(.text(count: 0)), size: 1, [9]).json == #"{"v":""}"# + "\n")
    let inner = RecordLayout(name: "", size: 0, members: [MemberLayout(name: "n", offset: 0, value: .text(count: 0))])
    #expect(Sample(flexible(.record(inner)), size: 1, [9, 0x61]).json == #"{"v":{"n":"a"}}"# + "\n")
  }

  @Test func emptyElementsDoNotRunWithoutEnd() {
    let empty = ValueLayout.record(RecordLayout(name: "", size: 0, members: []))
    #expect(Sample(.array(element: empty, stride: 0, count: 1 << 31), [1, 2]).value == "[]")
    #expect(Sample(.array(element: empty, stride: 0, count: 0), [1, 2]).value == "[]")
  }

  @Test(arguments: [
    ("\"\\/", #"\"\\/"#), ("\n\r\t\u{8}\u{1}\u{1b}[2J", #"\n\r\t\u0008\u0001\u001b[2J"#),
    ("\u{7f}\u{9b}x", #"\u007f\u009bx"#),
    ("grüße 日本 🙂", "grüße 日本 🙂"), ("", ""),
  ])
  func textIsEscaped(_ text: String, _ escaped: String) {
    let bytes = Array(text.utf8)
    #expect(Sample(.text(count: 64), bytes + [0]).value == "\"\(escaped)\"")
  }

  @Test(
    arguments: [
      [0x61, 0xff, 0x62], [0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
      [0xf0, 0x9f, 0x98, 0x41],
      [0x80, 0x80], [0xc3], [0xf8, 0x88],
    ] as [[UInt8]])
  func brokenUTF8IsRepairedAsSwiftDoes(_ bytes: [UInt8]) {
    #expect(Sample(.text(count: 16), bytes).value == "\"" + String(decoding: bytes, as: UTF8.self) + "\"")
  }

  @Test func namesAreEscapedToo() {
    let member = MemberLayout(name: "a\"b", offset: 0, value: .integer(size: 1, signed: false))
    #expect(Sample([member], [1]).json == #"{"a\"b":1}"# + "\n")
  }
}
