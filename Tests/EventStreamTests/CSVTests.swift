import BTF
import Testing

struct CSVTests {
  @Test(arguments: [
    ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("a\nb", "\"a\nb\""), ("", "\"\""),
    ("é", "é"),
  ])
  func textIsQuotedWhereNeeded(_ text: String, _ cell: String) {
    #expect(Sample(.text(count: 32), field(text, 32)).csv == cell + "\n")
  }

  @Test func brokenUTF8IsRepaired() {
    #expect(Sample(.text(count: 4), [0x61, 0xff, 0x22, 0]).csv == "\"a\u{fffd}\"\"\"\n")
  }

  @Test func nestedValuesAreJSONInOneCell() {
    let layout = ValueLayout.array(element: .text(count: 4), stride: 4, count: 2)
    #expect(Sample(layout, field("a\"", 4) + field("b,", 4)).csv == #""[""a\"""",""b,""]""# + "\n")
  }

  @Test func rowsFollowTheHeader() {
    let names = [EnumName(name: "READ", value: 0)]
    let sample = Sample(
      [
        MemberLayout(name: "pid", offset: 0, value: .integer(size: 4, signed: true)),
        MemberLayout(name: "op", offset: 4, value: .enumeration(size: 1, signed: false, names: names)),
        MemberLayout(name: "ok", offset: 5, value: .boolean(size: 1)),
        MemberLayout(name: "raw", offset: 6, value: .bytes(size: 2)),
        MemberLayout(name: "missing", offset: 8, value: .integer(size: 4, signed: true)),
        MemberLayout(name: "text", offset: 20, value: .text(count: 4)),
      ], size: 24, [0xff, 0xff, 0xff, 0xff, 0, 1, 0xca, 0xfe])
    #expect(sample.csvHeader == "pid,op,ok,raw,missing,text\n")
    #expect(sample.csv == "-1,READ,true,cafe,,\n")
  }

  @Test func floatsAndPointersAreNumbers() {
    #expect(Sample(.float(size: 8), bytes(of: (-Double.infinity).bitPattern)).csv == "-inf\n")
    #expect(Sample(.pointer, [16, 0, 0, 0, 0, 0, 0, 0]).csv == "16\n")
  }
}
