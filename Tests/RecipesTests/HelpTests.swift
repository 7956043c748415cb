import Recipes
import Support
import Testing

@Suite struct HelpTests {
  @Test func showsOptionsDefaultsChoicesNeedsAndExamples() {
    let header = RecipeHeader(
      name: "sample", summary: "Show everything",
      options: [
        RecipeOption(name: "pid", short: "p", type: .integer, help: "trace only this process"),
        RecipeOption(name: "failed", short: "x", type: .boolean, help: "show only failures"),
        RecipeOption(name: "fold", type: .boolean, defaultValue: .boolean(true), help: "fold stacks"),
        RecipeOption(
          name: "sort", type: .string, defaultValue: .string("count"), help: "the order of the rows",
          choices: [.string("count"), .string("time")]),
        RecipeOption(name: "file", type: .string, required: true),
        RecipeOption(name: "buffer", type: .size, defaultValue: .size(8 << 20)),
      ],
      needs: [Capability(.readFiles, scope: "/etc"), Capability(.network)],
      examples: ["moontrace sample --file x\nPID\n\n", "moontrace sample -x"])
    #expect(
      header.helpText(programName: "moontrace sample") == """
        Usage: moontrace sample --file STRING [OPTION]... [ARGUMENT]...

        Show everything

        Options:
          -p, --pid INTEGER  trace only this process
          -x, --failed       show only failures
              --[no-]fold    fold stacks (default: on)
              --sort STRING  the order of the rows (one of: count, time; default: count)
              --file STRING  (required)
              --buffer SIZE  (default: 8M)
          -h, --help         show this help

        Needs: --allow fs.read=/etc --allow net

        Examples:
          moontrace sample --file x
          PID

          moontrace sample -x

        """)
  }

  @Test func longHelpWrapsAndLongNamesDoNotPushTheColumn() {
    let header = RecipeHeader(
      name: "x",
      options: [
        RecipeOption(name: "a-name-that-is-rather-long-for-an-option", type: .integer, help: "short help"),
        RecipeOption(name: "h", short: "h", help: String(repeating: "word ", count: 20)),
      ])
    #expect(
      header.helpText(programName: "x") == """
        Usage: x [OPTION]... [ARGUMENT]...

        Options:
              --a-name-that-is-rather-long-for-an-option INTEGER
                          short help
          -h, --h STRING  word word word word word word word word word word word word
                          word word word word word word word word
              --help      show this help

        """)
  }

  @Test func aScriptWithoutHeaderSaysSo() {
    #expect(RecipeHeader.helpTextWithoutHeader(programName: "x.lua").hasPrefix("Usage: x.lua [ARGUMENT]...\n"))
  }
}
