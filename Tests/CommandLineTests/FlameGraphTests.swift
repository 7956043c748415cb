import Glibc
import KernelTestSupport
import Support
import Testing

/// Flame graphs of a workload whose stacks are known, and the option type `file`, by which recipes get to write them.
@Suite(.requires(.root))
struct FlameGraphTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  /// The counts of an SVG's frames: those of one name under one caller apart, as `name`, count.
  private func frames(_ path: String) throws -> [(name: String, colour: Character, count: Int64)] {
    let text = String(decoding: try readFile(path), as: UTF8.self)
    #expect(text.hasPrefix("<?xml") && text.hasSuffix("</svg>\n"))
    return try text.matches(of: /<svg class="f (.)[0-9]*"[^>]* data-c="([0-9]+)"><title>([^\n]*)\n/).map {
      (String($0.3), try #require($0.1.first), try #require(Int64($0.2)))
    }
  }

  /// Runs a recipe with `--flamegraph` while a workload does its task.
  private func draw(_ recipe: [String], of load: HeldWorkload) throws -> [(
    name: String, colour: Character, count: Int64
  )] {
    let path = directory.path("out.svg")
    let process = try MoontraceProcess(["run"] + recipe + ["-p", "\(load.pid)", "--flamegraph", path])
    try process.waitForAttached()
    try load.run()
    let run = try process.interrupt()
    #expect(run.status == 0 && run.output == "", "\(run.errors)")
    #expect(run.errors.hasPrefix("\(path): "), "\(run.errors)")
    return try frames(path)
  }

  @Test func profile() throws {
    let frames = try draw(["profile", "-F", "199"], of: HeldWorkload("spin", "0.5"))
    let all = try #require(frames.first)
    #expect(all.name == "all" && all.count >= 20)
    #expect(frames.contains { $0.name == "workload" && $0.colour == "g" && $0.count == all.count })
    let spin = try #require(frames.first { $0.name == "workload_spin" })
    #expect(spin.colour == "u" && spin.count * 2 > all.count, "\(frames)")
  }

  /// Three naps of 20 ms, in µs: the user's frames below the kernel's.
  @Test func offcputime() throws {
    let frames = try draw(["offcputime"], of: HeldWorkload("nap", "20", "3"))
    let nap = try #require(frames.first { $0.name == "workload_nap" })
    let sleep = try #require(frames.first { $0.name == "do_nanosleep" })
    #expect(nap.colour == "u" && sleep.colour == "k")
    #expect(sleep.count >= 57_000 && nap.count >= sleep.count)
  }

  @Test func aggregatesByStacks() throws {
    let workload = try Workload()
    let path = directory.path("calls.svg")
    let run = try workload.trace(
      "getppid 1000",
      """
      recipe { name = "x", options = { { name = "to", type = "file" } } }
      local calls, other = count(), count()
      probe("t:syscalls:sys_enter_getppid", function()
        if comm == "NAME" then calls[{ kstack, pid, ustack, comm }]:add(1) other[comm]:add(1) end
      end)
      at_exit(function()
        calls:flamegraph { file = opt.to, title = "<calls>", unit = "calls" }
        print(pcall(other.flamegraph, other, { file = opt.to }))
        print(pcall(calls.flamegraph, calls, { file = "/tmp/not-named.svg" }))
        print(pcall(flamegraph, 3))
        other:clear()
      end)
      """, arguments: ["--to", path])
    #expect(run.status == 0, "\(run.errors)")
    let frames = try frames(path)
    #expect(frames.first?.count == 1000)
    #expect(frames.contains { $0.name == workload.name && $0.colour == "g" && $0.count == 1000 })
    let places = ["all", workload.name, "do_syscall_64"].compactMap { name in frames.firstIndex { $0.name == name } }
    #expect(places.count == 3 && places == places.sorted(), "\(frames)")
    #expect(run.lines[0].hasSuffix("flamegraph: 'other' has no stack in its key (use kstack or ustack)"))
    #expect(run.lines[1].contains("writing /tmp/not-named.svg needs --allow fs.write"))
    #expect(run.lines[2].hasSuffix("flamegraph: expected a list of stacks, got number"))
  }

  // MARK: Files that options name

  @Test(arguments: ["/nowhere/out.svg", "/tmp", "/proc/out.svg", ""])
  func whatCantBeWrittenIsToldAtOnce(_ path: String) throws {
    for options in [["run", "-d", "60", "profile", "--flamegraph", path], ["--report", path, "-d", "60", "profile"]] {
      let run = try MoontraceProcess(options).wait()
      let option = options.contains("--report") ? "--report" : "--flamegraph"
      #expect(run.status == 2 && run.errors.hasPrefix("\(option): can't write to '\(path)': "), "\(run.errors)")
    }
  }

  @Test func namingAFileGrantsThatFileAlone() throws {
    let (named, other) = (directory.path("named"), directory.path("other"))
    let script = try directory.write(
      "x.lua",
      """
      recipe { name = "x", options = { { name = "to", type = "file", short = "t" } } }
      local file = assert(io.open(opt.to, "w"))
      file:write("text") file:close()
      print(pcall(io.open, "\(other)", "w"))
      print(pcall(io.open, opt.to))
      """)
    let run = try moontrace(script, "-t", named)
    #expect(run.status == 0, "\(run.errors)")
    #expect(try readFile(named) == Array("text".utf8))
    #expect(access(other, F_OK) != 0 && run.lines[0].contains("needs --allow fs.write"))
    #expect(run.lines[1].contains("needs --allow fs.read"))
  }

  @Test func aFileHasNoDefault() throws {
    let run = try moontrace(
      "-e", "recipe { name = 'x', options = { { name = 'to', type = 'file', default = '/etc/passwd' } } }")
    #expect(run.status == 1)
    #expect(run.errors.contains("option 'to': a file can't have a default (only what the user names is written)"))
  }

  @Test func linksAndDevicesStayWhatTheyAre() throws {
    let (file, link) = (directory.path("file"), directory.path("link"))
    try writeFile(file, [1])
    try check("link") { symlink(file, link) }
    for path in [link, "/dev/null"] {
      #expect(try moontrace("--report", path, "-q", "-e", "print(1)").status == 0)
    }
    var about = stat()
    #expect(lstat(link, &about) == 0 && about.st_mode & S_IFMT == S_IFLNK)
    #expect(stat("/dev/null", &about) == 0 && about.st_mode & S_IFMT == S_IFCHR)
    #expect(try readFile(file).count > 1000)
  }
}
