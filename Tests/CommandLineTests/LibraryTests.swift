import Glibc
import KernelTestSupport
import Support
import Testing

/// Every recipe of the library runs, or says what this kernel lacks for it.
@Suite(.requires(.root)) struct LibraryTests {
  private static let directory =
    #filePath.dropLast("Tests/CommandLineTests/LibraryTests.swift".count) + "lua-lib/recipes"

  static let recipes = directoryEntries(String(directory)).filter { $0.hasSuffix(".lua") }.map {
    String($0.dropLast(4))
  }

  /// What recipes can't do without.
  static let arguments = [
    "argdist": ["libc:malloc"], "funccount": ["t:sched:sched_process_*"], "funclatency": ["libc:malloc"],
    "stackcount": ["t:sched:sched_process_exec"], "trace-func": ["libc:mkdir"],
  ]

  @Test(arguments: recipes) func runs(recipe: String) throws {
    // The stacks of all processes' allocations would take longer to name than a callback may.
    let limits = recipe == "malloc-top" ? ["-p", "\(getpid())"] : []
    let arguments = ["-d", "0.2", "-f", "json"] + limits + [recipe] + (Self.arguments[recipe] ?? [])
    let run = try MoontraceProcess(arguments).wait()
    #expect(run.status == 0 || run.status == 4, "\(run.errors)")
    if run.status == 4 { #expect(run.errors.contains("this kernel has no "), "\(run.errors)") }
    for line in run.lines where !line.isEmpty { _ = try JSON(line) }
  }

  @Test(arguments: recipes) func helps(recipe: String) throws {
    let run = try moontrace("run", recipe, "--help")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.output.contains(recipe) && run.output.contains("--help"))
  }

  @Test func allAreThere() {
    #expect(Self.recipes.count > 50)
  }
}
