import Support
import Testing

@Suite struct LuaTokenTests {
  private func texts(_ text: String) -> [String] { LuaToken.all(in: text).map(\.text) }

  @Test func textsInPieces() {
    let tokens = LuaToken.all(in: "x = f('a\\'b', 0x1f) -- end\n.y")
    #expect(tokens.map(\.text) == ["x", "=", "f", "(", "'a\\'b'", ",", "0x1f", ")", ".", "y"])
    #expect(tokens.map(\.kind).filter { $0 != .symbol } == [.name, .name, .string, .number, .name])
    #expect(tokens[4].contents == "a\\'b" && tokens.last?.offset == 28)
    #expect(LuaToken.all(in: "not x").map(\.kind) == [.keyword, .name])
  }

  @Test func symbolsAreTheLongestOnes() {
    #expect(texts("a...b..c==d//e::1.5e+3") == ["a", "...", "b", "..", "c", "==", "d", "//", "e", "::", "1.5e+3"])
  }

  @Test func longStringsAndComments() {
    #expect(LuaToken.all(in: "[==[a]]b]==] x").map(\.contents) == ["a]]b", nil])
    #expect(texts("--[[ two\nlines ]] x -- one\ny") == ["x", "y"])
    #expect(texts("t[1] [=x") == ["t", "[", "1", "]", "[", "=", "x"])
  }

  @Test(arguments: [("\"abc", "abc"), ("'\\", "\\"), ("[[open", "open"), ("x = [==[", "")])
  func stringsThatBreakOff(_ text: String, _ contents: String) {
    let last = LuaToken.all(in: text).last
    #expect(last?.kind == .string && last?.isOpen == true && last?.contents.map(String.init) == contents)
  }

  @Test func stringsEndWithTheirLine() {
    let tokens = LuaToken.all(in: "'abc\nx")
    #expect(tokens.map(\.text) == ["'abc", "x"])
    #expect(tokens[0].contents == "abc" && !tokens[0].isOpen)
  }

  @Test(arguments: ["x --", "x -- not yet", "x --[[ open\nx", "x --[==[ open ]]"])
  func commentsThatBreakOff(_ text: String) {
    let tokens = LuaToken.all(in: text)
    #expect(tokens.map(\.kind) == [.name, .comment] && tokens.last?.isOpen == true)
    #expect(tokens.last?.is("--") == false)
  }
}
