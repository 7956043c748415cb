import Glibc
import KernelTestSupport
import Support
import Testing

/// `moontrace build`: what it writes where, and what it does not do twice.
@Suite(.requires(.clang, .typeInformation)) struct BuildOutputTests {
  let directory: TemporaryDirectory
  let program: String

  init() throws {
    directory = try TemporaryDirectory()
    program = try directory.write("tool.bpf.c", "#include \"own.h\"\n" + BuildPrograms.network)
    _ = try directory.write("own.h", "struct own { int a; };\n")
  }

  private func exists(_ file: String) -> Bool { access(directory.path(file), F_OK) == 0 }

  @Test func theSameIsCompiledOnce() throws {
    // A clang that writes down each of its runs.
    let real = try runShell("command -v clang").lines[0]
    let text = "#!/bin/sh\necho run >> \(directory.path("runs"))\nexec \(real) \"$@\"\n"
    let clang = try directory.writeProgram("clang", text)
    func runs(_ options: String...) throws -> Int {
      unlink(directory.path("runs"))
      let environment = ["MOONTRACE_CLANG=\(clang)", "XDG_CACHE_HOME=\(directory.path("cache"))"]
      let run = try MoontraceProcess(["build", program] + options, environment: environment).wait()
      #expect(run.status == 0, "\(run.errors)")
      let text = (try? readFile(directory.path("runs"))) ?? []
      return text.count { $0 == UInt8(ascii: "\n") }
    }
    #expect(try runs() > 0)
    let first = try readFile(directory.path("package.json"))
    #expect(try runs() == 0)
    #expect(try readFile(directory.path("package.json")) == first)
    // The same text, written anew, is the same; another one, other options and another header are not.
    _ = try directory.write("own.h", "struct own { int a; };\n")
    #expect(try runs() == 0)
    _ = try directory.write("own.h", "struct own { int b; };\n")
    #expect(try runs() > 0)
    #expect(try runs() == 0)
    #expect(try runs("-DMORE=1") > 0)
    _ = try directory.write("tool.bpf.c", BuildPrograms.network + "int more;\n")
    #expect(try runs() > 0)
    _ = try directory.writeProgram("clang", text + "# another version\n")
    #expect(try runs() > 0)
  }

  @Test func directoriesAndFiles() throws {
    func output(_ path: String, _ options: String...) throws -> [String] {
      let run = try MoontraceProcess(["build", program, "-o", directory.path(path)] + options).wait()
      #expect(run.status == 0, "\(run.errors)")
      return run.lines
    }
    #expect(
      try output("out/") == ["out/tool.bpf.o", "out/tool.skel.json", "out/package.json"].map(directory.path))
    #expect(
      try output("out", "--yaml") == ["out/tool.bpf.o", "out/tool.skel.yaml", "out/package.yaml"].map(directory.path))
    #expect(try output("one.json") == [directory.path("one.json")])
    #expect(try output("one.yaml", "-q") == [])
    #expect(exists("one.yaml"))
    #expect(try readFile(directory.path("out/package.json")) == readFile(directory.path("one.json")))
    #expect(try readFile(directory.path("out/package.yaml")) == readFile(directory.path("one.yaml")))
    #expect(try output("two.skel.json") == [directory.path("two.skel.json")])
    #expect(try output("three.o") == [directory.path("three.o")])
    #expect(try readFile(directory.path("out/tool.bpf.o")) == readFile(directory.path("three.o")))
    #expect(!exists("package.json"))
    let yaml = String(decoding: try readFile(directory.path("out/tool.skel.yaml")), as: UTF8.self)
    #expect(yaml.hasPrefix("bpf_skel:\n  obj_name: tool_bpf\n"), "\(yaml)")
  }

  @Test func whereNothingCanBeWritten() throws {
    for path in ["/proc/x/", "/proc/x.json", "/no/where/x.json"] {
      let run = try moontrace("build", program, "-o", path)
      #expect(run.status == 2 && run.output == "" && run.errors.hasPrefix("moontrace: can't "), "\(run.errors)")
    }
  }

  @Test func archivesWithOtherKernelsTypes() throws {
    let kernel = "archive/ubuntu/20.04/x86_64/5.4.0-42-generic.btf"
    let copy = try runShell(
      "cd \(directory.name) && mkdir -p archive/ubuntu/20.04/x86_64 && cp /sys/kernel/btf/vmlinux \(kernel)")
    #expect(copy.status == 0, "\(copy.errors)")
    let run = try moontrace("build", program, "--tar", "--btf", directory.path("archive"))
    #expect(run.status == 0 && run.lines.last == directory.path("tool.tar"), "\(run.errors)")
    let listing = try runShell("tar tf \(directory.path("tool.tar"))")
    #expect(
      listing.lines == ["package.json", "tool_bpf.bpf.o", "btfhub-archive/ubuntu/20.04/x86_64/5.4.0-42-generic.btf"])
    let size = try readFile(directory.path("tool.tar")).count
    // A program without relocations needs nothing of the five megabytes.
    #expect(size < 1 << 16 && run.errors == "", "\(run.errors)")
    _ = try directory.write(kernel, "no BTF")
    let one = try moontrace("build", program, "--btf", directory.path(kernel), "-o", directory.path("one.tar"))
    #expect(
      one.status == 1 && one.errors.contains("--btf: btfhub-archive/ubuntu/20.04/x86_64/5.4.0-42-generic.btf: "),
      "\(one.errors)")
    let lost = try moontrace("build", program, "--btf", directory.path("own.h"), "-o", directory.path("one.tar"))
    #expect(lost.status == 2 && lost.errors.contains("RELEASE.btf"), "\(lost.errors)")
  }

  @Test func otherKernelsTypes() throws {
    let text = """
      #include "vmlinux.h"
      #include <bpf/bpf_helpers.h>
      int answer = ANSWER;
      struct task_struct *task;
      char LICENSE[] SEC("license") = "GPL";
      """
    let path = try directory.write("types.bpf.c", text)
    #expect(try moontrace("build", path).status == 1)
    let header = try directory.write("types.h", "#include <linux/bpf.h>\n#define ANSWER 42\n")
    let run = try moontrace("build", path, "--vmlinux", header, "-o", directory.path("x.skel.yaml"))
    #expect(run.status == 0, "\(run.errors)")
    let made = String(decoding: try readFile(directory.path("x.skel.yaml")), as: UTF8.self)
    #expect(made.contains("name: answer\n          type: int\n          value: 42\n"), "\(made)")
    // BTF becomes the header that the running kernel's becomes, which it is here.
    let binary = try moontrace("build", path, "--vmlinux", "/sys/kernel/btf/vmlinux", "-DANSWER=1", "-q")
    #expect(binary.status == 0 && binary.output == "", "\(binary.errors)")
  }
}
