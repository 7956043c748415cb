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
      // At colons and equals signs.
      word.reduce(into: [""]) { parts, character in
        if ":=".contains(character) {
          parts += [String(character), ""]
        } else {
          parts[parts.count - 1].append(character)
        }
      }.enumerated().filter { $0.offset == 0 || !$0.element.isEmpty }.map(\.element)
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

  @Test func optionsOfARecipe() throws {
    let options = ["--pid", "--failed", "--name", "--help"]
    #expect(try offers("opensnoop", "--") == options)
    #expect(try offers("run", "-d", "5", "--quiet", "opensnoop", "-") == options)
    #expect(try offers("run", "opensnoop", "--pid", "3", "--f") == ["--failed"])
    #expect(try offers("opensnoop", "--verb") == [], "those of run stand before the recipe")
    #expect(try offers("run", "-f", "json", "--verb") == ["--verbose"])
    #expect(try offers("opensnoop", "--", "--f") == [])
  }

  @Test func valuesOfARecipesOption() throws {
    #expect(try offers("argdist", "--arg", "") == ["0", "1", "2", "3", "4", "5"])
    #expect(try offers("run", "argdist", "-a", "3") == ["3"])
    #expect(try offers("argdist", "--arg=") == ["0", "1", "2", "3", "4", "5"])
    #expect(try offers("opensnoop", "--pid", "") == [])
  }

  @Test func optionsOfTheUsersScripts() throws {
    let directory = try TemporaryDirectory()
    let header =
      "recipe{ name = 'mine', options = { { name = 'mode', choices = { 'fast', 'slow' } }, { name = 'to', type = 'file' },"
    _ = try directory.write(
      "mine.lua", header + " { name = 'color', type = 'boolean', default = true } } }\nerror('does not run')\n")
    _ = try directory.write("broken.lua", "recipe{ name = 'broken', options = { {} } }")
    _ = try directory.write("none.lua", "print('recipe') while true do end")
    #expect(try offers("mine.lua", "--mode", "", in: directory.name) == ["fast", "slow"])
    #expect(
      try offers("./mine.lua", "--", in: directory.name) == ["--mode", "--to", "--no-color", "--color", "--help"])
    #expect(try offers("run", "mine.lua", "--to", "br", in: directory.name) == ["broken.lua"])
    #expect(try offers("broken.lua", "--", in: directory.name) == [])
    #expect(try offers("none.lua", "--", in: directory.name) == [])
  }

  /// As fish itself completes a line.
  @Test func fishOffersTheSame() throws {
    if system("command -v fish >/dev/null") != 0 { try Test.cancel("fish is not installed") }
    let directory = try TemporaryDirectory()
    try check("link") { symlink(MoontraceProcess.executable, directory.path("moontrace")) }
    let run = try runShell(
      """
      export PATH=\(directory.name):$PATH
      exec fish --no-config -c 'moontrace completions fish | source
      complete -C "moontrace opensnoop --f"; complete -C "moontrace run -d 5 argdist -a "; complete -C "moontrace opens"'
      """)
    #expect(run.lines == ["--failed\tshow only failed opens", "0", "1", "2", "3", "4", "5", "opensnoop"], "\(run)")
  }

  /// The scripts know which of the options of `run` take the next word.
  @Test func optionsWithValues() throws {
    let script = try moontrace("completions", "bash").output
    let run = try #require(script.split(separator: "_moontrace_run() {").dropFirst().first)
    func list(_ name: String) -> [Substring] {
      let line = run.split(separator: "\n").first { $0.contains(" \(name)=(") }
      return line?.split(separator: "(").last?.dropLast().split(separator: " ") ?? []
    }
    let line = try #require(script.split(separator: "\n").first { $0.contains("= *\" ${COMP_WORDS[i]} \"*") })
    let known = line.split(separator: "\"")[1].split(separator: " ")
    #expect(!known.isEmpty && Set(known) == Set(list("repeating_options") + list("non_repeating_options")))
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
