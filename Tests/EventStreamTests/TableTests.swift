import BTF
import CEventCore
import Testing

struct TableTests {
  @Test func columnsAlignUnderTheirNames() {
    let names = [EnumName(name: "READ", value: 0), EnumName(name: "WRITE", value: 1)]
    let members = [
      MemberLayout(name: "pid", offset: 0, value: .integer(size: 4, signed: false)),
      MemberLayout(name: "comm", offset: 4, value: .text(count: 8)),
      MemberLayout(name: "op", offset: 12, value: .enumeration(size: 4, signed: false, names: names)),
      MemberLayout(name: "path", offset: 16, value: .text(count: 16)),
    ]
    let sample = Sample(members, size: 32, [42, 0, 0, 0] + field("bash", 8) + [1, 0, 0, 0] + field("/etc", 16))
    #expect(sample.tableHeader == "     PID COMM     OP    PATH\n")
    #expect(sample.table == "      42 bash     WRITE /etc\n")
  }

  @Test func longValuesOverflowTheirColumn() {
    let members = [
      MemberLayout(name: "ns", offset: 0, value: .integer(size: 8, signed: false)),
      MemberLayout(name: "ok", offset: 8, value: .boolean(size: 1)),
      MemberLayout(name: "p", offset: 0, value: .pointer),
    ]
    let sample = Sample(members, bytes(of: UInt64.max) + [1])
    #expect(sample.table == "18446744073709551615 true  0xffffffffffffffff\n")
    #expect(sample.tableHeader == "          NS OK                     P\n")
  }

  @Test func textCannotDriveTheTerminal() {
    let sample = Sample(.text(count: 32), Array("a\u{1b}[2J\n\u{7f}\u{9b}é".utf8) + [0xff])
    #expect(sample.table == #"a\x1b[2J\x0a\x7f\x9bé"# + "\u{fffd}\n")
  }

  @Test func paddingCountsCharactersNotBytes() {
    let members = [
      MemberLayout(name: "t", offset: 0, value: .text(count: 8)),
      MemberLayout(name: "n", offset: 8, value: .integer(size: 1, signed: false)),
    ]
    #expect(Sample(members, field("日本", 8) + [1]).table == "日本          1\n")
    #expect(Sample(members, field("ab", 8) + [1]).table == "ab          1\n")
  }

  @Test func absentValuesAreADash() {
    let members = [
      MemberLayout(name: "n", offset: 0, value: .integer(size: 4, signed: false)),
      MemberLayout(name: "t", offset: 4, value: .text(count: 4)),
      MemberLayout(name: "a", offset: 8, value: .array(element: .boolean(size: 1), stride: 1, count: 2)),
    ]
    #expect(Sample(members, [1, 2]).table == "       - -    -\n")
  }

  @Test func nestedValuesAreJSON() {
    let members = [
      MemberLayout(
        name: "list", offset: 0, value: .array(element: .integer(size: 1, signed: true), stride: 1, count: 2)),
      MemberLayout(name: "n", offset: 2, value: .integer(size: 1, signed: false)),
    ]
    #expect(Sample(members, [1, 0xff, 3]).table == "[1,-1]              3\n")
  }

  @Test func unnamedEnumValuesAreIntegersAndPointersHexadecimal() {
    #expect(Sample(.enumeration(size: 1, signed: true, names: []), [0xfe]).table == "-2\n")
    #expect(Sample(.pointer, [0, 0, 0, 0, 0, 0, 0, 0]).table == String(repeating: " ", count: 15) + "0x0\n")
  }

  @Test func widthsSuitTypesAndNames() {
    func width(_ value: ValueLayout, _ name: String = "v") -> UInt16 {
      Sample([MemberLayout(name: name, offset: 0, value: value)], []).widths[0]
    }
    #expect(width(.integer(size: 1, signed: false)) == 4)
    #expect(width(.integer(size: 4, signed: true)) == 8)
    #expect(width(.integer(size: 8, signed: true)) == 12)
    #expect(width(.integer(size: 8, signed: true), "a_very_long_name") == 16)
    #expect(width(.text(count: 16)) == 16)
    #expect(width(.text(count: 4096)) == 32)
    #expect(width(.integer(size: 1, signed: true), String(repeating: "n", count: 70_000)) == UInt16.max)
  }

  @Test func headersAreBoldWhereThereAreColours() {
    let output = Output()
    output.raw.colors = true
    mt_output_begin_header(&output.raw)
    mt_output_table_cell(&output.raw, "NAME", 4, 8, false, true)
    mt_output_end_header(&output.raw)
    #expect(output.text == "\u{1b}[1mNAME\u{1b}[0m\n")
  }

  @Test func cellsOfNoPlanAlignLikeOthers() {
    let output = Output()
    mt_output_table_cell(&output.raw, "é\u{1b}", 3, 8, false, false)
    mt_output_table_cell(&output.raw, "-12", 3, 6, true, false)
    mt_output_table_cell(&output.raw, "end", 3, 9, false, true)
    #expect(output.text == #"é\x1b       -12 end"# + "\n")
  }
}
