import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// What docs/one-liners.md and docs/from-bpftrace.md show works as shown.
@Suite(.requires(.root, .typeInformation))
struct OneLinerDocumentTests {
  private static func commands(needingKprobes: Bool) -> [MarkdownDocument.Command] {
    let all = (try? MarkdownDocument("one-liners.md"))?.commands() ?? []
    return all.filter { $0.title.hasSuffix("(needs kprobes)") == needingKprobes }
  }

  private static func snippets(_ kind: String) -> [MarkdownDocument.Snippet] {
    let all = (try? MarkdownDocument("from-bpftrace.md"))?.snippets() ?? []
    return all.filter { $0.kind.hasPrefix(kind) }
  }

  @Test func thereAreForty() {
    #expect((Self.commands(needingKprobes: false) + Self.commands(needingKprobes: true)).count >= 40)
    #expect(Self.snippets("probes").count > 30 && Self.snippets("action").count > 70)
    #expect(Self.snippets("script").count > 8 && Self.snippets("options").count > 15)
  }

  @Test(arguments: commands(needingKprobes: false))
  func oneLinersRunAsShown(_ command: MarkdownDocument.Command) throws {
    let run = try Self.check(command)
    // Headers of tables; the data is the machine's.
    guard let shown = command.output.first, shown.first?.isUppercase == true || shown.hasPrefix(" ") else { return }
    let words = run.lines.first?.split(separator: " ")
    #expect(words == shown.split(separator: " "), "\(run.output)")
  }

  @Test(.requires(.kprobes), arguments: commands(needingKprobes: true))
  func oneLinersOnFunctionsRunAsShown(_ command: MarkdownDocument.Command) throws {
    _ = try Self.check(command)
  }

  private static func check(_ command: MarkdownDocument.Command) throws -> MoontraceProcess.Finished {
    let run = try runInShell(command.text.replacing("-d 1", with: "-d 0.5"))
    #expect(run.status == 0, "\(run.errors)")
    let errors = run.errors.split(separator: "\n").filter { !$0.contains("ended here)") && !$0.hasPrefix("lost ") }
    #expect(errors.isEmpty, "\(run.errors)")
    #expect(!run.output.isEmpty)
    return run
  }

  // MARK: From bpftrace

  @Test(arguments: snippets("probes"))
  func probesAreProbes(_ snippet: MarkdownDocument.Snippet) throws {
    if snippet.text.hasPrefix("moontrace ") { return try Self.compile(snippet.text) }
    for spec in snippet.text.split(separator: ",") { _ = try AttachSpec(String(spec)) }
  }

  @Test(arguments: snippets("action"))
  func actionsCompile(_ snippet: MarkdownDocument.Snippet) throws {
    if snippet.text.hasPrefix("moontrace ") { return try Self.compile(snippet.text) }
    let probe = String(snippet.kind.dropFirst("action ".count))
    let run = try moontrace("trace", "--dump", "bpf", "--allow", "kernel.write", probe, snippet.text)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
  }

  private static func compile(_ command: String) throws {
    let run = try runInShell(command + (command.hasPrefix("moontrace trace") ? " --dump bpf" : ""))
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
  }

  @Test(arguments: snippets("script"))
  func scriptsLoad(_ snippet: MarkdownDocument.Snippet) throws {
    let run = try moontrace("list", "-e", snippet.text)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
  }

  @Test(arguments: snippets("options"))
  func optionsExist(_ snippet: MarkdownDocument.Snippet) throws {
    let words = snippet.text.split(separator: " ").map(String.init)
    let (help, commands) = (try moontrace("run", "--help").output, try moontrace("--help").output)
    if words[0].hasPrefix("-") {
      #expect(help.contains(words[0]), "moontrace run has no \(words[0])")
    } else if words[0] == "moontrace" {
      #expect(words[1] == "FILE" || commands.contains(words[1]), "moontrace has no \(words[1])")
    } else {
      let run = try moontrace("list", "-e", "local x = \(snippet.text)")
      #expect(run.status == 0, "\(run.errors)")
    }
  }
}

/// Runs a command line that calls moontrace by its name.
func runInShell(_ command: String) throws -> MoontraceProcess.Finished {
  let directory = try TemporaryDirectory()
  let (program, link) = (MoontraceProcess.executable, directory.path("moontrace"))
  try check("link \(link)") { symlink(program, link) }
  let (outputPath, errorsPath) = (directory.path("out"), directory.path("err"))
  let output = OwnedDescriptor(try check("create output") { open(outputPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) })
  let errors = OwnedDescriptor(try check("create errors") { open(errorsPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) })
  let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
  let status = try Subprocess(
    "/bin/sh", ["-c", command], descriptors: [1: output.number, 2: errors.number],
    environment: ["PATH=\(directory.name):\(path)"]
  ).wait()
  return MoontraceProcess.Finished(
    status: status, output: String(decoding: try readFile(outputPath), as: UTF8.self),
    errors: String(decoding: try readFile(errorsPath), as: UTF8.self))
}
