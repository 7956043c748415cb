import Support
import Testing

@testable import Tracing

/// What is kept of a compilation, and the small formats that it is read from.
struct CompiledProgramTests {
  @Test func whatIsKeptIsReadAgain() throws {
    var program = CompiledProgram(object: [1, 2], diagnostics: Array("x:1: warning".utf8), files: [])
    program.events = [
      EventType(map: "events", type: "struct event"), EventType(map: "a", type: "b_t", sizeType: "unsigned int[4]"),
    ]
    program.absent = ["/tmp/a b.h", "x/y.h"]
    program.sizes = ["other": [8, 16]]
    program.files = [.init(path: "/tmp/a b.h", text: []), .init(path: "x.c", text: [10, 0, 255])]
    let bytes = program.bytes(key: "key\nof it")
    #expect(CompiledProgram(bytes: bytes, key: "key\nof it") == program)
    #expect(CompiledProgram(bytes: bytes, key: "another") == nil)
    for length in 0..<bytes.count {
      #expect(CompiledProgram(bytes: Array(bytes[..<length]), key: "key\nof it") == nil)
    }
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 4
      #expect(CompiledProgram(bytes: damaged, key: "key\nof it") == nil)
    }
  }

  @Test func placesOfTheSearch() {
    let search = IncludeSearch(["/no/inc"], ["/no/src/x.c", "/no/src/own.h", "/no/inc2/bpf/a.h", "/usr/include/b.h"])
    for path in [
      "/no/inc/own.h", "/no/src/a.h", "/no/src/bpf/a.h", "/no/inc/bpf/a.h", "/no/inc/b.h", "/no/inc2/bpf/b.h",
    ] {
      #expect(search.absent.contains(path), "\(path)")
    }
    // Whatever stands beside the system's files is the system's.
    #expect(!search.absent.contains { $0.hasPrefix("/usr/include/") })
    #expect(Set(search.absent).count == search.absent.count)
  }

  @Test func dependencies() {
    let text = "object: x.bpf.c /a/b\\ c.h \\\n  /d\\#e.h \\\n  f$$g.h h\\i.h\n"
    #expect(DependencyList.files(Array(text.utf8)) == ["x.bpf.c", "/a/b c.h", "/d#e.h", "f$g.h", "h\\i.h"])
    #expect(DependencyList.files([]) == [])
    #expect(DependencyList.files(Array("object:".utf8)) == [])
  }

  @Test func colours() {
    #expect(withoutColors(Array("\u{1b}[0;1;31merror: \u{1b}[0mä [1]\u{1b}".utf8)) == "error: ä [1]\u{1b}")
    #expect(withoutColors(Array("\u{1b}[".utf8)) == "")
  }

  @Test func architectures() {
    #expect(TargetArchitecture(name: "x86_64") == .x86 && TargetArchitecture(name: "aarch64") == .arm64)
    #expect(TargetArchitecture(name: "riscv") == .riscv && TargetArchitecture(name: "vax") == nil)
  }

  @Test func whatIsNoObjectIsNotStripped() {
    #expect(throws: MoontraceError.self) { try ObjectStripper.strip([1, 2, 3], name: "x") }
  }
}
