import Glibc
import KernelLoader
import Support
import Testing

/// Objects that can't be opened: each gets a clear error, none crashes.
@Suite struct BadObjectTests {
  static let source = #"SEC("raw_tp/sys_enter") int on_call(void *ctx) { return 0; }"#

  private func message(_ bytes: [UInt8]) throws -> String {
    let error = try failure { _ = try BPFObject(bytes: bytes, name: "bad.bpf.o") }
    #expect(error.code == .scriptFailed)
    #expect(error.message.hasPrefix("bad.bpf.o: "))
    return error.description
  }

  @Test func notAnObject() throws {
    #expect(try message([]).contains("not an ELF file"))
    #expect(try message(Array("print('hello')".utf8)).contains("not an ELF file"))
    let own = try readFile("/proc/self/exe")
    #expect(try message(own).contains("another machine (number 62)"))
  }

  @Test func otherByteOrderAndNoTypes() throws {
    let big = try Workshop.compile("big", Self.source, options: "-g -O2 --target=bpfeb")
    #expect(try message(big).contains("big-endian"))
    let bare = try Workshop.compile("bare_types", Self.source, options: "-O2 -g0")
    let text = try message(bare)
    #expect(text.contains("no BTF") && text.contains("clang -g"))
  }

  @Test func truncatedAnywhere() throws {
    let whole = try Workshop.compile("whole", Self.source)
    for length in stride(from: 0, to: whole.count, by: 61) {
      _ = try message(Array(whole.prefix(length)))
    }
  }

  @Test func damagedAnywhere() throws {
    let whole = try Workshop.compile("damaged", GlobalsTests.source + "\n" + MapTests.source)
    let seed = UInt64.random(in: 1...UInt64.max)
    print("damagedAnywhere: seed \(seed)")
    var state = seed
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<4 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 24)
      }
      // Either it opens or it throws; what must not happen is a crash.
      if let object = try? BPFObject(bytes: bytes, name: "damaged.bpf.o") { try? object.load() }
    }
  }

  /// libbpf 1.1 follows type references unchecked: a ring of them would hang it, one outside would crash it.
  @Test func typesThatLeadNowhere() throws {
    let whole = try Workshop.compile("rings", "typedef int plain; plain value = 1;\n" + Self.source)
    let section = try #require(try ELFImage(bytes: whole, name: "rings").section(".BTF"))
    var changed = 0
    for start in stride(from: section.offset + 24, to: section.offset + section.size - 12, by: 4) {
      let info = whole[start + 4..<start + 8]
      guard Array(info) == [0, 0, 0, 8] else { continue }  // a typedef
      for reference in 1...40 {
        var bytes = whole
        bytes[start + 8] = UInt8(reference)
        (try? BPFObject(bytes: bytes, name: "rings.bpf.o"))?.close()
      }
      var bytes = whole
      bytes.replaceSubrange(start + 8..<start + 12, with: [0xff, 0xff, 0xff, 0x7f])
      #expect(try message(bytes).contains("BTF type information is damaged"))
      changed += 1
    }
    #expect(changed > 0)
  }

  @Test func sectionsThatNoProgramCanStandIn() throws {
    let object = try Workshop.open("section", #"SEC("tracepont/sched/sched_switch") int lost(void *ctx) { return 0; }"#)
    let error = try failure { try object.load() }
    #expect(error.message.contains("program 'lost'"))
    #expect(error.message.contains("unknown section 'tracepont/sched/sched_switch'"))
    #expect(error.message.contains("did you mean 'tracepoint'?"))
  }

  @Test func useAfterClose() throws {
    let object = try Workshop.open(
      "closed", "u32 number = 7;\n" + #"SEC("raw_tp/sys_enter") int on_call(void *ctx) { return number; }"#)
    let program = try #require(object.program("on_call"))
    let number = try #require(object.global("number"))
    let early = try failure { _ = try program.attach() }
    #expect(early.code == .usage && early.remedy == "load the object first")
    object.close()
    object.close()
    #expect(try failure { try object.load() }.message.contains("closed"))
    #expect(try failure { _ = try program.attach() }.message.contains("closed"))
    #expect(try failure { _ = try number.read() }.message.contains("closed"))
    #expect(program.descriptor == -1 && !object.isLoaded)
  }

  @Test func loadOnce() throws {
    let object = try Workshop.open("twice", Self.source)
    try object.whileLoaded {
      let again = try failure { try object.load() }
      let late = try failure { try object.programs.first?.setAutoload(false) }
      #expect(again.code == .usage && late.code == .usage)
    }
  }
}
