import Glibc
import KernelTestSupport
import Support
import Testing

/// What README.md and docs/scripts.md show runs as shown.
@Suite(.requires(.root, .clang))
struct ExampleTests {
  private static let top = String(#filePath.dropLast("/Tests/CommandLineTests/ExampleTests.swift".count))

  @Test func readmeShowsTheExample() throws {
    let readme = String(decoding: try readFile("\(Self.top)/README.md"), as: UTF8.self)
    let example = String(decoding: try readFile("\(Self.top)/examples/execs.lua"), as: UTF8.self)
    let code = try #require(example.firstRange(of: "probe("))
    #expect(readme.contains(example[code.lowerBound...]))
  }

  /// What a row is called does not change from run to run, and neither do headers.
  @Test func readmesCommandsRunAsShown() throws {
    let commands = try MarkdownDocument("../README.md").commands()
    #expect(commands.count >= 5)
    for command in commands {
      let run = try runInShell("cd \(Self.top) && \(command.text)")
      #expect(run.status == 0 && run.errors == "", "\(command.text): \(run.errors)")
      let shown = try #require(command.output.first).split(separator: " ")
      #expect(run.lines.first?.split(separator: " ") == shown, "\(command.text): \(run.output)")
      #expect(run.lines.count > 1)
    }
  }

  @Test func execs() throws {
    let workload = try Workload()
    let run = try moontrace("-f", "json", "-c", "\(workload.path) exec 3", "\(Self.top)/examples/execs.lua")
    #expect(run.status == 0)
    #expect(run.lines.contains { $0.contains("\"comm\":\"\(workload.name)\"") })
    #expect(run.lines.count { $0.contains("\"comm\":\"true\"") } >= 3)
  }

  @Test func writes() throws {
    let workload = try Workload()
    let run = try moontrace(
      "-f", "json", "-c", "\(workload.path) getppid 10", "\(Self.top)/examples/writes.lua", "--top", "1000")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.contains { $0.contains("\"comm\":\"\(workload.name)\"") })
  }

  /// A column for each tenth of a second, of calls that last longer and longer.
  @Test func latencyOverTime() throws {
    let workload = try Workload()
    let run = try moontrace(
      "-c", "(\(workload.path) getppid 1000; sleep 0.3; \(workload.path) getppid 1000) >/dev/null",
      "\(Self.top)/examples/latency.lua", "--comm", workload.name, environment: ["LC_ALL=C"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.first == "system call latency")
    #expect(run.lines.contains { $0.hasPrefix("[") && $0.contains(") |") && $0.contains("@") }, "\(run.output)")
    #expect(run.lines.contains("calls a second") && run.lines.contains { $0.contains(" in a cell") })
  }

  @Test func theScriptsOfThePictures() throws {
    let document = String(decoding: try readFile("\(Self.top)/docs/pictures.md"), as: UTF8.self)
    let directory = try TemporaryDirectory()
    let scripts = document.split(separator: "```lua\n").dropFirst().compactMap { $0.split(separator: "```").first }
    #expect(scripts.count >= 2)
    for (number, script) in scripts.enumerated() {
      let path = try directory.write("\(number).lua", String(script))
      let run = try moontrace("-d", "0.5", path, "--out", directory.path("out.svg"))
      #expect(run.status == 0, "\(run.errors)")
    }
  }

  @Test func theProbesOfTheirDocument() throws {
    let document = String(decoding: try readFile("\(Self.top)/docs/lua-probes.md"), as: UTF8.self)
    let script = try #require(document.split(separator: "```lua\n").dropFirst().first?.split(separator: "```").first)
    let run = try moontrace("-f", "json", "-c", "cat /etc/hostname", "-e", String(script))
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.lines.contains { $0.contains("\"comm\":\"cat\"") && $0.contains("\"us\":") })
  }
}
