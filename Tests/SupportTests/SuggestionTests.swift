import Support
import Testing

struct SuggestionTests {
  @Test(arguments: [
    ("filname", "filename"), ("flie", "file"), ("pdi", "pid"), ("filenamee", "filename"), ("Pid", "pid"),
  ])
  func theNearestNameIsSuggested(mistyped: String, meant: String) {
    #expect(suggestion(for: mistyped, in: ["dfd", "filename", "file", "pid", "comm"]) == meant)
    #expect(suggestionHint(for: mistyped, in: ["filename", "file", "pid"]) == " (did you mean '\(meant)'?)")
  }

  @Test func nothingIsSuggestedWhenNothingIsNear() {
    #expect(suggestion(for: "zebra", in: ["filename", "file", "pid", ""]) == nil)
    #expect(suggestion(for: "x", in: []) == nil)
    #expect(suggestionHint(for: "zebra", in: ["pid"]) == "")
  }

  @Test func theFirstOfEquallyNearNamesIsSuggested() {
    #expect(suggestion(for: "arg", in: ["arg1", "arg0"]) == "arg1")
  }
}
