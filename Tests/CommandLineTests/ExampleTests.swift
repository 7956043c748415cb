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

  @Test func theProbesOfTheirDocument() throws {
    let document = String(decoding: try readFile("\(Self.top)/docs/lua-probes.md"), as: UTF8.self)
    let script = try #require(document.split(separator: "```lua\n").dropFirst().first?.split(separator: "```").first)
    let run = try moontrace("-f", "json", "-c", "cat /etc/hostname", "-e", String(script))
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.lines.contains { $0.contains("\"comm\":\"cat\"") && $0.contains("\"us\":") })
  }
}
