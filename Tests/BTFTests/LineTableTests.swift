import BTF
import KernelTestSupport
import RandomTestSupport
import Support
import Testing

/// Source lines of instructions, from an object and from blobs made by hand.
struct LineTableTests {
  private static let program = """
    static int (*const trace_printk)(const char *, int, ...) = (void *)6;
    __attribute__((section("raw_tp/sys_enter")))
    int on_enter(void *context) {
      char text[] = "hello";
      trace_printk(text, sizeof text);
      return 0;
    }
    """

  @Test(.requires(.clang))
  func linesOfACompiledProgram() throws {
    let image = try compileForBPF(Self.program)
    let types = try TypeGraph(blob: image.bytes(of: ".BTF"), name: "test.o")
    let lines = try LineTable(extBlob: image.bytes(of: ".BTF.ext"), types: types)
    let call = try #require(lines.entries(withText: "trace_printk(text, sizeof text);").first)
    #expect(call.line == 5)
    #expect(call.file.hasSuffix("/test.c"))
    #expect(call.section == "raw_tp/sys_enter")
    #expect(call.text == "  trace_printk(text, sizeof text);")
    #expect(lines.entry(section: "raw_tp/sys_enter", instruction: call.instruction)?.line == 5)
    let count = image.bytes(of: "raw_tp/sys_enter").count / 8
    #expect(lines.entry(section: "raw_tp/sys_enter", instruction: count - 1)?.line == 6)
    #expect(lines.entry(section: "xdp", instruction: 0) == nil)
  }

  /// A `.BTF.ext` with records of (instruction, line, column) in one section.
  private func table(
    _ records: [(instruction: UInt32, line: UInt32, column: UInt32)], recordSize: UInt32 = 16, claimed: UInt32? = nil
  ) throws -> (TypeGraph, [UInt8]) {
    var builder = BlobBuilder()
    let (section, file, text) = (builder.string("xdp"), builder.string("a.c"), builder.string("\tx = 1;"))
    var info = [recordSize, section, claimed ?? UInt32(records.count)]
    for record in records {
      info += [8 * record.instruction, file, text, record.line << 10 | record.column]
      info += Array(repeating: 0, count: max(0, Int(recordSize) / 4 - 4))
    }
    let length = UInt32(4 * info.count)
    let words = [0x1_eb9f, 24, 0, 0, 0, length] + info
    return (try builder.graph(), words.flatMap(littleEndian))
  }

  @Test func theLastEntryAtOrBeforeAnInstructionCounts() throws {
    let (types, blob) = try table([(2, 10, 3), (5, 11, 1)], recordSize: 20)
    let lines = try LineTable(extBlob: blob, types: types)
    #expect(lines.entry(section: "xdp", instruction: 1) == nil)
    let expected = LineEntry(
      section: "xdp", instruction: 2, file: "a.c", line: 10, column: 3, text: "\tx = 1;")
    #expect(lines.entry(section: "xdp", instruction: 4) == expected)
    #expect(lines.entry(section: "xdp", instruction: 5)?.line == 11)
    #expect(lines.entry(section: "xdp", instruction: 500)?.line == 11)
    #expect(lines.entries(withText: "x = 1; ").map(\.line) == [10, 11])
    #expect(lines.entries(withText: " ").isEmpty)
  }

  @Test func objectsWithoutLineInfoHaveAnEmptyTable() throws {
    let words: [UInt32] = [0x1_eb9f, 24, 0, 0, 0, 0]
    let lines = try LineTable(extBlob: words.flatMap(littleEndian), types: BlobBuilder().graph())
    #expect(lines.entry(section: "xdp", instruction: 0) == nil)
  }

  @Test func malformedTablesAreRefused() throws {
    let (types, sound) = try table([(0, 1, 1), (1, 2, 1)])
    for length in 0..<sound.count {
      #expect(throws: MoontraceError.self) { try LineTable(extBlob: Array(sound[..<length]), types: types) }
    }
    for (recordSize, claimed) in [(12, nil), (18, nil), (16, 3), (16, .max)] as [(UInt32, UInt32?)] {
      let (types, blob) = try table([(0, 1, 1)], recordSize: recordSize, claimed: claimed)
      #expect(throws: MoontraceError.self) { try LineTable(extBlob: blob, types: types) }
    }
  }

  @Test func damagedTablesNeverCrash() throws {
    var random = SeededGenerator(seed: SeededGenerator.seed(for: "damagedTablesNeverCrash"))
    let (types, sound) = try table([(0, 1, 1), (1, 2, 1), (7, 3, 9)])
    for _ in 0..<2000 {
      var blob = sound
      for _ in 0..<3 {
        blob[Int.random(in: 0..<blob.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let lines = try? LineTable(extBlob: blob, types: types) else { continue }
      _ = lines.entry(section: "xdp", instruction: 3)
      _ = lines.entries(withText: "x = 1;")
    }
  }
}
