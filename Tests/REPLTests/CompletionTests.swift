import Testing

@testable import REPL

@Suite struct CompletionTests {
  @Test func whatAllCandidatesGoOnWithIsInserted() {
    #expect(Completion(start: "pre", candidates: ["prev_comm", "prev_pid", "next"]).insertion == "v_")
    #expect(Completion(start: "pr", candidates: ["print"]).insertion == "int")
    #expect(Completion(start: "p", candidates: ["pid", "ppid"]).insertion == "")
    #expect(Completion(start: "x", candidates: []).insertion == "")
  }

  @Test func repeatsAndOthersAreLeftOut() {
    #expect(Completion(start: "c", candidates: ["count", "comm", "count", "pid"]).candidates == ["count", "comm"])
  }

  @Test func listingsFitTheTerminal() {
    let completion = Completion(start: "", candidates: (1...7).map { "name\($0)" })
    #expect(completion.listing(columns: 25) == "name1  name4  name7\nname2  name5\nname3  name6\n")
    #expect(completion.listing(columns: 5).split(separator: "\n").count == 7)
    let many = Completion(start: "", candidates: (0..<300).map { "n\($0)" })
    #expect(many.listing(columns: 80).hasSuffix("… 100 more\n"))
  }
}
