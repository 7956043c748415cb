import Glibc
import KernelTestSupport
import Support
import Testing

/// `moontrace completions`: what the shells offer.
struct CompletionTests {
  /// What bash offers for the last of some words, as it takes a line apart.
  private func offers(_ words: String..., in directory: String = "/") throws -> [String] {
    let line = words.joined(separator: " ")
    let parts = words.flatMap { word in
      word.split(separator: ":", omittingEmptySubsequences: false).map(String.init).reduce(into: [String]()) {
        $0 += $0.isEmpty ? [$1] : [":"] + ($1.isEmpty ? [] : [$1])
      }
    }
    let array = parts.map { "'\($0)'" }.joined(separator: " ")
    let run = try runShell(
      """
      cd '\(directory)'; "$0" completions bash >/dev/null || exit 9
      source <("$0" completions bash)
      compopt() { :; }
      COMP_WORDS=("$0" \(array)); COMP_CWORD=\(parts.count); COMP_LINE='moontrace \(line)'; COMP_POINT=${#COMP_LINE}
      _moontrace moontrace '\(parts.last ?? "")' "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """, shell: "/bin/bash")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return run.lines
  }

  @Test func commandsAndTargets() throws {
    #expect(try offers("run", "opens") == ["opensnoop"])
    #expect(try offers("opens") == ["opensnoop"])
    let first = try offers("c")
    #expect(first.contains("check") && first.contains("completions") && first.contains("cpudist"))
    #expect(try offers("completions", "") == ["bash", "zsh", "fish"])
    #expect(try offers("doctor", "--f") == ["--format"])
  }

  @Test func filesAndRecipesOfTheUser() throws {
    let directory = try TemporaryDirectory()
    try check("make a directory") { mkdir(directory.path("inner"), 0o755) }
    for file in ["zebra.lua", "zero.bpf.o", "zoo.txt", "inner/zulu.lua", ".zip.lua"] {
      _ = try directory.write(file, "")
    }
    #expect(try offers("z", in: directory.name) == ["zebra.lua", "zero.bpf.o"])
    #expect(try offers("check", "inn", in: directory.name) == ["inner/"])
    #expect(try offers("run", "-q", "inner/", in: directory.name) == ["inner/zulu.lua"])
    #expect(try offers("no-such/", in: directory.name) == [])
  }

  @Test func optionsOfTheDefaultCommand() throws {
    #expect(try offers("-f", "j") == ["json"])
    #expect(try offers("--dur") == ["--duration"])
    #expect(try offers("run", "--format", "") == ["table", "json", "csv"])
  }

  @Test(.requires(.root)) func probesBehindARecipe() throws {
    #expect(try offers("funccount", "tracep") == ["tracepoint:"])
    #expect(try offers("funccount", "t:sche") == ["sched:"])
    let names = try offers("run", "funccount", "tracepoint:sched:sched_sw")
    #expect(names.contains("sched_switch") && names.allSatisfy { $0.hasPrefix("sched_sw") })
    #expect(try offers("funccount", "uprobe:libc:mallo").contains("malloc"))
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func scriptsParse(shell: String) throws {
    if system("command -v \(shell) >/dev/null") != 0 { try Test.cancel("\(shell) is not installed") }
    let directory = try TemporaryDirectory()
    let file = directory.path("script")
    let run = try runShell("\"$0\" completions \(shell) >\(file) && \(shell) -n \(file)")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let script = String(decoding: try readFile(file), as: UTF8.self)
    #expect(script.contains("run is the default command"))
    // The function that knows of the default command has taken the place of the argument parser's.
    if shell != "fish" {
      #expect(script.split(separator: "_moontrace() {", omittingEmptySubsequences: false).count == 2)
      #expect(script.contains("__moontrace_command_line() {"))
    }
  }

  @Test func anUnknownShell() throws {
    let run = try moontrace("completions", "tcsh")
    #expect(run.status == 2 && run.errors.contains("tcsh"))
  }
}
