import Testing

@testable import REPL

@Suite struct LuaTokenTests {
  @Test func textsInPieces() {
    #expect(
      LuaToken.tokens(of: "x = f('a\\'b', 0x1f) -- end\n.y")
        == [
          .word("x"), .symbol("="), .word("f"), .symbol("("), .string("a\\'b", isOpen: false), .symbol(","), .other,
          .symbol(")"), .symbol("."), .word("y"),
        ])
  }

  @Test func longStringsAndComments() {
    #expect(LuaToken.tokens(of: "[==[a]]b]==] x") == [.string("a]]b", isOpen: false), .word("x")])
    #expect(LuaToken.tokens(of: "--[[ two\nlines ]] x") == [.word("x")])
    #expect(LuaToken.tokens(of: "--[[ open\nx") == [.other])
    #expect(
      LuaToken.tokens(of: "t[1] [[open")
        == [.word("t"), .symbol("["), .other, .symbol("]"), .string("open", isOpen: true)])
  }

  @Test func stringsThatBreakOff() {
    #expect(LuaToken.tokens(of: "\"abc") == [.string("abc", isOpen: true)])
    #expect(LuaToken.tokens(of: "'\\") == [.string("\\", isOpen: true)])
  }
}
