import Glibc
import KernelTestSupport
import Support
import Testing

/// `moontrace new`: projects that run as they stand.
struct NewTests {
  @Test(.requires(.root), arguments: [[], ["--c"]]) func runsAsItStands(options: [String]) throws {
    if !options.isEmpty, system("clang --version >/dev/null 2>&1") != 0 { try Test.cancel("there is no clang") }
    let directory = try TemporaryDirectory()
    let project = directory.path("my-tool")
    let made = try MoontraceProcess(["new"] + options + [project]).wait()
    #expect(made.status == 0 && made.output.hasPrefix("Made \(project)/."), "\(made.errors)")
    let test = try runShell("MOONTRACE=\"$0\" \(project)/test.sh")
    #expect(test.status == 0 && test.output == "test.sh: ok\n", "\(test.errors)")
    // Also from another directory, as any script; and what a test must notice it notices.
    let run = try moontrace("-f", "json", "-c", "cat /dev/null", "\(project)/my-tool.lua", "-n", "cat")
    // Other tests may run a cat meanwhile.
    #expect(
      !run.lines.isEmpty && run.lines.allSatisfy { $0.contains("\"comm\":\"cat\"") }, "\(run.output)\(run.errors)")
    let broken = try runShell("sed -i 's/opt.name/nil/g' \(project)/my-tool.lua; MOONTRACE=\"$0\" \(project)/test.sh")
    #expect(broken.status == 1 && broken.errors.hasPrefix("test.sh: --name cat shows ls"), "\(broken.errors)")
  }

  @Test func whatEditorsNeed() throws {
    let directory = try TemporaryDirectory()
    _ = try moontrace("new", directory.path("tool"))
    let text = String(decoding: try readFile(directory.path("tool/.luarc.json")), as: UTF8.self)
    let settings = try JSON(text.filter { !$0.isWhitespace })
    let library = try #require(settings["workspace.library"]?.list?.first?.text)
    for module in ["meta", "hist", "names"] {
      let copy = try readFile(directory.path("tool/\(library)/moontrace/\(module).lua"))
      #expect(try copy == readFile("\(sourceDirectory)/lua-lib/moontrace/\(module).lua"))
    }
  }

  @Test func nothingOfTheTemplatesStays() throws {
    let directory = try TemporaryDirectory()
    for option in ["", "--c"] {
      let run = try runShell("cd \(directory.name) && \"$0\" new \(option) tool\(option) && ! grep -r mytool .")
      #expect(run.status == 0 && !run.output.contains("mytool"), "\(run.output)\(run.errors)")
    }
  }

  @Test(arguments: ["", ".", "..", "X", "1st", "a b", "täst", "a/b/", "-x"]) func badNames(name: String) throws {
    let directory = try TemporaryDirectory()
    let run = try runShell("cd \(directory.name) && \"$0\" new '\(name)'")
    #expect(run.status == 2 && run.errors != "", "\(run.errors)")
    #expect(try runShell("ls -A \(directory.name)").output == "")
  }

  @Test func whatIsThereStays() throws {
    let directory = try TemporaryDirectory()
    _ = try directory.write("file", "x")
    try check("make a directory") { mkdir(directory.path("full"), 0o755) }
    for name in ["file", "full"] {
      let run = try moontrace("new", directory.path(name))
      #expect(run.status == 2 && run.errors.contains("there is a '\(directory.path(name))' already"))
    }
    #expect(try runShell("ls -A \(directory.name) \(directory.path("full"))").output.contains("tool") == false)
  }

  /// A disk that is full after some of the files leaves nothing behind.
  @Test(.requires(.root)) func allOrNothing() throws {
    let directory = try TemporaryDirectory()
    let run = try runShell(
      """
      mount -t tmpfs -o size=16k small \(directory.name) || exit 99
      "$0" new \(directory.path("tool")); status=$?
      ls -A \(directory.name)
      umount \(directory.name)
      exit $status
      """)
    #expect(run.status == 2 && run.output == "", "\(run.output)")
    #expect(run.errors.contains("No space left on device"), "\(run.errors)")
  }
}
