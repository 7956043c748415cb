import FileTestSupport
import Glibc
import KernelTestSupport
import Support
import Testing

/// What is kept of builds: for how long, and when it is made anew.
@Suite(.requires(.clang, .typeInformation)) struct BuildCacheTests {
  let directory: TemporaryDirectory
  let program: String
  /// A clang that writes down each of its runs.
  private let clang: String

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["first", "second"] { mkdir(directory.path(name), 0o755) }
    program = try directory.write("tool.bpf.c", "#include \"own.h\"\n" + BuildPrograms.network)
    _ = try directory.write("second/own.h", "struct own { int a; };\n")
    let real = try runShell("command -v clang").lines[0]
    clang = try directory.writeProgram(
      "clang", "#!/bin/sh\necho run >> \(directory.path("runs"))\nexec \(real) \"$@\"\n")
  }

  /// Builds; whether it was compiled.
  private func compiles(_ options: String..., cache: String = "cache") throws -> Bool {
    let run = try build(options, cache: cache)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return access(directory.path("runs"), F_OK) == 0
  }

  private func build(_ options: [String] = [], cache: String = "cache") throws -> MoontraceProcess.Finished {
    unlink(directory.path("runs"))
    let environment = [
      "MOONTRACE_CLANG=\(clang)", "XDG_CACHE_HOME=\(directory.path(cache))", "TMPDIR=\(directory.name)",
    ]
    let includes = ["-I", directory.path("first"), "-I", directory.path("second")]
    return try MoontraceProcess(["build", program] + includes + options, environment: environment).wait()
  }

  private func kept(_ name: String = "builds") -> [String] {
    directoryEntries(directory.path("cache/moontrace/\(name)"))
  }

  // MARK: New files

  /// A file that comes up before an included one, on the way of the search.
  @Test(arguments: ["first/own.h", "own.h", "first/bpf/bpf_helpers.h", "first/linux/if_ether.h"])
  func aFileThatIsFoundFirst(name: String) throws {
    #expect(try compiles())
    #expect(try !compiles())
    let path = directory.path(name)
    for parent in ["first/bpf", "first/linux"] { mkdir(directory.path(parent), 0o755) }
    _ = try directory.write(name, "#error found me\n")
    let run = try build()
    #expect(run.status == 1 && run.errors.contains("found me"), "\(run.errors)")
    unlink(path)
    #expect(try !compiles())
  }

  /// What has a name that nothing includes changes nothing.
  @Test func otherNewFiles() throws {
    #expect(try compiles())
    for name in ["first/other.h", "own.hpp", "second/linux.h"] { _ = try directory.write(name, "#error not me\n") }
    #expect(try !compiles())
  }

  // MARK: What is damaged, old, or can't be kept

  @Test func damagedEntries() throws {
    #expect(try compiles())
    let package = try readFile(directory.path("package.json"))
    let entry = try #require(kept().first { !$0.hasSuffix(".pch") })
    let path = directory.path("cache/moontrace/builds/\(entry)")
    let whole = try readFile(path)
    var damaged = [whole.prefix(whole.count / 2), whole.prefix(20), []].map { Array($0) }
    for place in [100, whole.count / 2, whole.count - 1] {
      var bytes = whole
      bytes[place] ^= 1
      damaged.append(bytes)
    }
    for bytes in damaged {
      try writeFile(path, bytes)
      #expect(try compiles())
      #expect(try readFile(directory.path("package.json")) == package)
      #expect(try !compiles())
    }
  }

  @Test func headersThatAreGone() throws {
    #expect(try compiles())
    let headers = try #require(kept("headers").first)
    unlink(directory.path("cache/moontrace/headers/\(headers)/vmlinux.h"))
    _ = try directory.write("tool.bpf.c", "#include \"vmlinux.h\"\n#include <bpf/bpf_helpers.h>\nint number;\n")
    #expect(try compiles())
  }

  @Test func entriesThatNobodyUsed() throws {
    #expect(try compiles())
    func age(_ name: String, days: Int) {
      let then = timespec(tv_sec: time(nil) - days * 24 * 3600, tv_nsec: 0)
      utimensat(AT_FDCWD, directory.path("cache/moontrace/\(name)"), [then, then], 0)
    }
    _ = try directory.write("cache/moontrace/builds/old", "")
    let scratch = "cache/moontrace/building-1-1"
    mkdir(directory.path(scratch), 0o755)
    _ = try directory.write("\(scratch)/program.o", "")
    let entry = try #require(kept().first { $0.count == 16 })
    for name in ["builds/\(entry)", "builds/old", "building-1-1"] { age(name, days: 29) }
    #expect(try compiles("-DONE"))
    #expect(kept().contains("old") && kept("").contains("building-1-1"))
    for name in ["builds/old", "building-1-1"] { age(name, days: 31) }
    age("builds/\(entry)", days: 31)
    // Found, it is of use again.
    #expect(try !compiles())
    #expect(try compiles("-DTWO"))
    #expect(kept().contains(entry) && !kept().contains("old") && !kept("").contains("building-1-1"))
    age("builds/\(entry)", days: 31)
    #expect(try compiles("-DTHREE"))
    #expect(!kept().contains(entry))
  }

  /// Two at once leave one entry that holds, and both have their package.
  @Test func twoAtOnce() throws {
    let environment = ["XDG_CACHE_HOME=\(directory.path("cache"))"]
    let options = ["-I", directory.path("second"), "-q", "-o"]
    let runs = try ["one.json", "two.json"].map { name in
      try MoontraceProcess(["build", program] + options + [directory.path(name)], environment: environment)
    }
    for run in runs {
      let finished = try run.wait()
      #expect(finished.status == 0 && finished.errors == "", "\(finished.errors)")
    }
    #expect(try readFile(directory.path("one.json")) == readFile(directory.path("two.json")))
    #expect(kept().count { $0.count == 16 } == 1)
  }

  @Test func whereNothingCanBeKept() throws {
    for cache in ["/proc/none", directory.path("tool.bpf.c")] {
      let run = try MoontraceProcess(
        ["build", program, "-I", directory.path("second")],
        environment: ["XDG_CACHE_HOME=\(cache)", "TMPDIR=\(directory.name)"]
      ).wait()
      #expect(run.status == 0 && run.lines.count == 3, "\(run.errors)")
      #expect(
        run.errors.contains("warning: can't make the directory \(cache)")
          && run.errors.contains(
            "; what is compiled is not kept (set XDG_CACHE_HOME to a directory that you may write)"),
        "\(run.errors)")
    }
    // Nothing of it stays.
    #expect(directoryEntries(directory.name).allSatisfy { !$0.hasPrefix("moontrace-") })
  }

  @Test(.requires(.root)) func aFileSystemThatIsOnlyRead() throws {
    let cache = directory.path("cache")
    #expect(try compiles())
    let run = try runShell(
      """
      exec unshare -m sh -c 'mount --bind \(cache) \(cache) && mount -o remount,ro,bind \(cache) || exit 9
      XDG_CACHE_HOME=\(cache) "$0" build -I \(directory.path("second")) -DMORE \(program)' "$0"
      """)
    #expect(run.status == 0 && run.lines.count == 3, "\(run.errors)")
    #expect(run.errors.contains("/moontrace can't be written: Read-only file system"), "\(run.errors)")
  }
}
