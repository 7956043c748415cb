import Glibc
import Support
import Testing

/// What is made from the sources says what they say.
struct DocumentTests {
  @Test func theManualPageIsUpToDate() throws {
    let run = try runShell("\(sourceDirectory)/scripts/man --check \"$0\"")
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func theManualPageRenders() throws {
    if system("command -v groff >/dev/null") != 0 { try Test.cancel("groff is not installed") }
    let run = try runShell("groff -man -ww -Tutf8 \(sourceDirectory)/docs/moontrace.1")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let titles = ["SYNOPSIS", "COMMANDS", "PROBES", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"]
    for title in titles { #expect(run.output.contains(title.first.map(String.init) ?? "")) }
  }

  @Test func theDefinitionsForEditorsAreThoseOfScripts() throws {
    let run = try moontrace("--allow", "fs.read", "\(sourceDirectory)/Tests/lua/meta_test.lua", sourceDirectory)
    #expect(run.status == 0 && run.output == "ok\n", "\(run.output)\(run.errors)")
  }
}
