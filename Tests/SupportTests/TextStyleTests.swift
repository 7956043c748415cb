import Glibc
import Support
import Testing

@Suite struct TextStyleTests {
  private let error = MoontraceError(.scriptFailed, "no field 'x'", remedy: "use y", location: "a.lua:3")

  @Test func errorsInColour() {
    #expect(
      error.text(TextStyle(isColored: true))
        == "\u{1b}[1;31ma.lua:3:\u{1b}[0m no field 'x' \u{1b}[36m(use y)\u{1b}[0m")
  }

  @Test func errorsWithoutColourAreTheirDescription() {
    #expect(error.text(TextStyle(isColored: false)) == error.description)
  }

  @Test func choices() throws {
    let pipe = try Pipe()
    #expect(!ColorChoice.auto.applies(to: pipe.writing))
    #expect(ColorChoice.always.applies(to: pipe.writing))
    #expect(!ColorChoice.never.applies(to: pipe.writing))
  }
}
