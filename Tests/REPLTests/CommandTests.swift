import Support
import Testing

@testable import REPL

@Suite struct CommandTests {
  @Test func commandsAreRead() throws {
    #expect(try Command(":probes") == .probes)
    #expect(try Command(":stop 3") == .stop(3))
    #expect(try Command(":list  t:sched:* ") == .list("t:sched:*"))
    #expect(try Command(":save x.lua") == .save("x.lua", replaces: false))
    #expect(try Command(":save! a b.lua") == .save("a b.lua", replaces: true))
    #expect(try Command(":q") == .quit)
  }

  @Test(arguments: [
    (":stp 3", "there is no command ':stp' (did you mean 'stop'?) (:help lists them)"),
    (":stop x", ":stop: expected the number of a probe (:probes lists them)"),
    (":list", ":list: expected :list GLOB"), (":save! ", ":save: expected :save FILE"),
  ])
  func mistakesAreNamed(_ line: String, _ message: String) {
    let error = #expect(throws: MoontraceError.self) { try Command(line) }
    #expect(error?.description == message)
    #expect(error?.code == .usage)
  }

  @Test func helpNamesEachCommand() {
    for name in Command.names { #expect(Command.helpText.contains("\n:\(name)")) }
  }
}
